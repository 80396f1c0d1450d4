"""`charrnn-tui score`."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint, write_checkpoint
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.scoring import batch_losses
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.training.model import CharRNN
from tests.cli.conftest import TINY, Invoke, one_line, random_checkpoint, some_text


def notebooks_validation(checkpoint_file: Path, text: str, batch_size: int, seq_length: int, val_frac: float) -> float:
    """The loop of the notebook's cell 30, in its own steps."""
    checkpoint = read_checkpoint(checkpoint_file)
    net = CharRNN(len(checkpoint.vocabulary), checkpoint.n_hidden, checkpoint.n_layers)
    net.load_state_dict({name: torch.from_numpy(np.array(tensor)) for name, tensor in checkpoint.weights.items()})
    net.eval()
    data = np.array([checkpoint.vocabulary.index[char] for char in text])
    arr = data[int(len(data) * (1 - val_frac)) :]
    arr = arr[: len(arr) // (batch_size * seq_length) * batch_size * seq_length].reshape((batch_size, -1))
    hidden, losses = net.init_hidden(batch_size), []
    for n in range(0, arr.shape[1], seq_length):
        x = arr[:, n : n + seq_length]
        y = np.zeros_like(x)
        try:
            y[:, :-1], y[:, -1] = x[:, 1:], arr[:, n + seq_length]
        except IndexError:
            y[:, :-1], y[:, -1] = x[:, 1:], arr[:, 0]
        hidden = tuple(each.data for each in hidden)
        output, hidden = net(torch.from_numpy(x.T.copy()), hidden)  # ours reads time first
        losses.append(nn.CrossEntropyLoss()(output, torch.from_numpy(y.T.copy()).view(-1).long()).item())
    return float(np.mean(losses))


def test_the_validation_part_costs_what_the_notebook_says(
    invoke: Invoke, checkpoint_file: Path, text_file: Path
) -> None:
    geometry = {"--batch-size": 4, "--seq-length": 12, "--val-frac": 0.2}
    result = invoke(
        *("score", checkpoint_file, text_file, "--part", "val", "--json"),
        *(word for pair in geometry.items() for word in pair),
    )
    values = json.loads(result.stdout)
    expected = notebooks_validation(checkpoint_file, some_text(2000), 4, 12, 0.2)
    assert values["loss"] == pytest.approx(expected, abs=5e-5)
    assert values["bits_per_char"] == pytest.approx(expected / math.log(2), abs=1e-4)
    assert values["perplexity"] == pytest.approx(math.exp(expected), rel=1e-4)
    assert (values["batch_size"], values["seq_length"], values["val_frac"], values["part"]) == (4, 12, 0.2, "val")
    assert values["chars"] == 400 // 48 * 48
    assert values["tokens"] == len(set(some_text(2000)))


def test_a_run_is_scored_in_the_batches_of_its_training(invoke: Invoke, runs: Path, text_file: Path) -> None:
    assert invoke("train", text_file, *TINY, "--max-steps", 9, "--name", "tiny").exit_code == 0
    values = json.loads(invoke("score", "tiny", text_file, "--part", "val", "--json").stdout)
    settings = RunDirectory(runs / "tiny").read_settings()["settings"]
    for name in ("batch_size", "seq_length", "val_frac", "val_chars"):
        assert values[name] == settings[name]
    assert values["as_trained"]
    best = RunDirectory(runs / "tiny").progress().best_evaluation
    assert best is not None
    assert values["loss"] == pytest.approx(best.val_loss, abs=1e-4)
    words = invoke("score", "tiny", text_file, "--part", "val").stdout
    assert f"in batches of {settings['batch_size']} × {settings['seq_length']} as in its training" in words
    others = json.loads(invoke("score", "tiny", text_file, "--part", "val", "--batch-size", 2, "--json").stdout)
    assert (others["batch_size"], others["seq_length"]) == (2, settings["seq_length"])
    assert not others["as_trained"]


def test_what_a_training_left_out_is_left_out_where_its_text_is_read_again(
    invoke: Invoke, runs: Path, tmp_path: Path
) -> None:
    body, file = some_text(2000), tmp_path / "walk.txt"
    file.write_text("§licence§" + body + "©§")
    ends = ("--skip-head", 9, "--skip-tail", 2)
    constant = (*TINY, "--schedule", "constant", "--print-every", 20)
    assert invoke("train", file, *ends, *constant, "--max-steps", 9, "--name", "cut").exit_code == 0
    assert invoke("train", "--resume", "cut", "--epochs", 1).exit_code == 0
    (tmp_path / "body.txt").write_text(body)
    assert invoke("train", tmp_path / "body.txt", *constant, "--name", "body").exit_code == 0
    of_cut, of_body = (json.loads(invoke("info", name, "--json").stdout)["checkpoint"] for name in ("cut", "body"))
    for name in ("alphabet", "chars", "val_loss", "loss", "median_line_length"):
        assert of_cut[name] == of_body[name]
    assert (of_cut["settings"]["skip_head"], of_cut["settings"]["skip_tail"]) == (9, 2)
    assert "2,000 characters, without the first 9 and the last 2 characters" in invoke("info", "cut").stdout
    assert "--skip-tail cannot change" in one_line(invoke("train", "--resume", "cut", "--skip-tail", 3))
    scored = [
        json.loads(invoke("score", name, text, "--part", part, "--json").stdout)
        for part in ("val", "all")
        for name, text in (("cut", file), ("cut", tmp_path / "body.txt"))
    ]
    assert [values["loss"] for values in scored[::2]] == [values["loss"] for values in scored[1::2]]
    assert [values["as_trained"] for values in scored] == [True, False, True, False]
    assert (scored[0]["skip_head"], scored[0]["skip_tail"], "skip_head" in scored[1]) == (9, 2, False)
    assert "without the first 9 and the last 2 characters" in invoke("score", "cut", file).stdout
    assert "(val; without the first 9 and the last 2 characters)" in invoke("gates", "cut", file).stderr
    written = tmp_path / "written.txt"
    written.write_text("§licence§" + body[:40])
    for training in ((), ("--training", file)):
        copies = json.loads(invoke("copied", "cut", "--text", written, *training, "--json").stdout)
        assert copies["passages"][0]["begin"] == 9


def test_of_a_long_validation_part_the_start_of_each_row_is_read(
    invoke: Invoke, checkpoint_file: Path, text_file: Path
) -> None:
    geometry = ("--part", "val", "--batch-size", 4, "--seq-length", 12, "--val-frac", 0.2)
    values = json.loads(invoke("score", checkpoint_file, text_file, *geometry, "--val-chars", 100, "--json").stdout)
    checkpoint = read_checkpoint(checkpoint_file)
    ids = checkpoint.vocabulary.encode(some_text(2000))[1600:]
    losses = list(batch_losses(CharModel(checkpoint), ids, 4, 12))
    assert len(losses) == 8
    assert (values["chars"], values["val_chars"]) == (96, 100)
    assert values["loss"] == pytest.approx(np.mean(losses[:2]), abs=1e-6)


def test_without_a_part_every_character_but_the_first_is_scored(
    invoke: Invoke, checkpoint_file: Path, text_file: Path
) -> None:
    values = json.loads(invoke("score", checkpoint_file, text_file, "--json").stdout)
    assert values["chars"] == 1999
    assert values["part"] is values["batch_size"] is values["seq_length"] is None
    plain = invoke("score", checkpoint_file, text_file)
    assert plain.exit_code == 0
    assert f"{values['loss']:.4f} nats/char" in plain.stdout
    assert "bits/char" in plain.stdout
    assert plain.stderr == ""


def test_the_loss_of_each_character_averages_to_the_loss(
    invoke: Invoke, checkpoint_file: Path, text_file: Path
) -> None:
    values = json.loads(invoke("score", checkpoint_file, text_file, "--per-char", "--json").stdout)
    assert "".join(char for char, _ in values["per_char"]) == some_text(2000)[1:]
    assert np.mean([loss for _, loss in values["per_char"]]) == pytest.approx(values["loss"])
    lines = invoke("score", checkpoint_file, text_file, "--per-char").stdout.splitlines()
    parsed = [(json.loads(char), float(loss)) for char, loss in (line.split("\t") for line in lines)]
    assert [char for char, _ in parsed] == [char for char, _ in values["per_char"]]
    assert parsed[5][1] == pytest.approx(values["per_char"][5][1], abs=1e-5)


def test_dynamic_evaluation_stands_beside_the_static_loss(
    invoke: Invoke, checkpoint_file: Path, text_file: Path
) -> None:
    bytes_before = checkpoint_file.read_bytes()
    static = json.loads(invoke("score", checkpoint_file, text_file, "--json").stdout)
    whole = ("score", checkpoint_file, text_file, "--dynamic", "--lr", 0.005, "--seq-length", 50)
    values = json.loads(invoke(*whole, "--json", "--per-char").stdout)
    assert values["loss"] == static["loss"]
    assert values["gain"] == pytest.approx(values["loss"] - values["dynamic_loss"])
    assert values["gain"] > 0.2
    assert values["dynamic_bits_per_char"] == pytest.approx(values["dynamic_loss"] / math.log(2))
    assert values["dynamic_perplexity"] == pytest.approx(math.exp(values["dynamic_loss"]))
    assert (values["chars"], values["batch_size"], values["seq_length"], values["lr"]) == (1999, 1, 50, 0.005)
    assert values["decay"] == 0.001
    assert np.mean([loss for _, loss in values["per_char"]]) == pytest.approx(values["dynamic_loss"])
    assert "".join(char for char, _ in values["per_char"]) == some_text(2000)[1:]
    words = invoke(*whole).stdout
    assert f"{values['dynamic_loss']:.4f} nats/char" in words
    assert f"{values['gain']:.4f} less" in words
    assert "1,999 characters in one pass, learning after every 50 at --lr 0.005;" in words
    assert checkpoint_file.read_bytes() == bytes_before


def test_dynamic_evaluation_of_a_part_reads_it_in_one_pass(
    invoke: Invoke, checkpoint_file: Path, text_file: Path
) -> None:
    part = ("score", checkpoint_file, text_file, "--dynamic", "--part", "val", "--val-frac", 0.2, "--json")
    values = json.loads(invoke(*part).stdout)
    assert (values["part"], values["chars"], values["batch_size"], values["seq_length"]) == ("val", 399, 1, 50)
    text_file.write_text(some_text(2000)[1600:], encoding="utf-8")
    alone = json.loads(invoke("score", checkpoint_file, text_file, "--dynamic", "--json").stdout)
    assert (values["loss"], values["dynamic_loss"]) == (alone["loss"], alone["dynamic_loss"])
    text_file.write_text(some_text(2000), encoding="utf-8")
    assert json.loads(invoke(*part, "--val-chars", 150).stdout)["chars"] == 150


def test_a_learning_rate_that_is_too_high_is_named(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    worse = invoke("score", checkpoint_file, text_file, "--dynamic", "--lr", 3)
    assert worse.exit_code == 0
    assert "more: try a smaller --lr than 3.0" in worse.stdout
    diverged = invoke("score", checkpoint_file, text_file, "--dynamic", "--lr", 1e38)
    assert diverged.exit_code == 1
    assert "characters 51 to 100 is not a finite number at --lr 1e+38; try a smaller one" in one_line(diverged)


def test_options_that_dynamic_evaluation_does_not_take(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    for options in (["--lr", 0.1], ["--dynamic", "--lr", 0], ["--dynamic", "--batch-size", 2]):
        result = invoke("score", checkpoint_file, text_file, *options)
        assert result.exit_code == 2
        assert options[-2] in one_line(result)
    assert invoke("score", checkpoint_file, text_file, "--dynamic", "--val-frac", 0.5).exit_code == 2
    (text_file.parent / "short.txt").write_text("T", encoding="utf-8")
    short = invoke("score", checkpoint_file, text_file.parent / "short.txt", "--dynamic")
    assert "scoring needs 2 characters, it has 1" in one_line(short)


def test_unknown_characters_in_the_text_are_named_or_left_out(
    invoke: Invoke, checkpoint_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "odd.txt").write_text("The happy ☂ family ☂", encoding="utf-8")
    refused = invoke("score", checkpoint_file, tmp_path / "odd.txt")
    assert refused.exit_code == 1
    assert "U+2602" in one_line(refused)
    assert "10, 19" in refused.stderr
    skipped = invoke("score", checkpoint_file, tmp_path / "odd.txt", "--unknown", "skip", "--json")
    assert json.loads(skipped.stdout)["chars"] == 17
    assert "2 of 20 characters left out" in skipped.stderr


def test_a_text_in_the_other_unicode_form_is_converted_on_request(invoke: Invoke, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model.safetensors", random_checkpoint(Vocabulary("The\u0301")))
    (tmp_path / "composed.txt").write_text("Th\u00e9Th\u00e9", encoding="utf-8")
    arguments = ("score", tmp_path / "model.safetensors", tmp_path / "composed.txt", "--json")
    assert "decomposed letters (NFD): try --unknown convert" in one_line(invoke(*arguments))
    assert json.loads(invoke(*arguments, "--unknown", "convert").stdout)["chars"] == 7


def test_a_geometry_without_batches_is_wrong_usage(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    for option in (["--batch-size", 4], ["--seq-length", 4], ["--val-frac", 0.5]):
        result = invoke("score", checkpoint_file, text_file, *option)
        assert result.exit_code == 2
        assert "add --part" in one_line(result)
    assert invoke("score", checkpoint_file, text_file, "--part", "val", "--val-frac", 1.5).exit_code == 2
    assert invoke("score", checkpoint_file, text_file, "--part", "all", "--per-char").exit_code == 2
    assert invoke("score", checkpoint_file, text_file, "--part", "some").exit_code == 2


def test_a_text_too_short_for_a_batch_says_what_it_has(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    result = invoke("score", checkpoint_file, text_file, "--part", "val")
    assert result.exit_code == 1
    assert "200 characters" in one_line(result)
    assert "12,800" in result.stderr
    assert str(text_file) in result.stderr


def test_ngrams_stand_beside_the_loss_of_the_validation_part(
    invoke: Invoke, checkpoint_file: Path, text_file: Path
) -> None:
    part = ("score", checkpoint_file, text_file, "--part", "val", "--val-frac", 0.2, "--ngrams", 4)
    values = json.loads(invoke(*part, "--batch-size", 4, "--seq-length", 12, "--json").stdout)
    text = json.loads(invoke("text", text_file, "--val-frac", 0.2, "--ngrams", 4, "--json").stdout)
    assert values["ngrams"] == text["ngrams"]
    assert [each["n"] for each in values["ngrams"]] == [1, 2, 3, 4]
    best = min(values["ngrams"], key=lambda each: each["loss"])
    assert best["loss"] < values["loss"]  # the model knows nothing
    words = invoke(*part, "--dynamic").stdout
    loss = json.loads(invoke(*part, "--dynamic", "--json").stdout)["loss"]
    assert f"{loss - best['loss']:.4f} less: the {best['n']}-gram, the best of 1 to 4" in words


def test_ngrams_are_not_asked_of_what_they_have_counted(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    for options in ([], ["--part", "train"], ["--part", "all"]):
        result = invoke("score", checkpoint_file, text_file, *options, "--ngrams", 3)
        assert result.exit_code == 2
        assert "add --part val" in one_line(result)
