"""A training that starts from the weights of another model."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from torch import nn

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint, write_checkpoint
from charrnn_tui.cli.main import cli
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.fitting import LEARNING_RATES, TUNING_SHARE
from charrnn_tui.run.settings import SettingsError, settings_for
from charrnn_tui.runner.fine_tuning import open_start, read_old_text
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.scoring import batch_losses
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.training.net_writer import write_net
from tests.cli.conftest import random_checkpoint, some_text

OLD = some_text(4000)
NEW = OLD[:1500].replace("T", "Ж").replace("e", "é")
TINY = (
    "--device",
    "cpu",
    "--precision",
    "float32",
    "--threads",
    1,
    "--sample-length",
    5,
    "--batch-size",
    4,
    "--seq-length",
    10,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of the old text, whose alphabet is in an order of its own."""
    path = tmp_path / "old.safetensors"
    write_checkpoint(path, random_checkpoint(Vocabulary(sorted(set(OLD), reverse=True)), n_layers=1))
    return path


@pytest.fixture
def texts(tmp_path: Path) -> tuple[Path, Path]:
    files = tmp_path / "new.txt", tmp_path / "old.txt"
    for file, text in zip(files, (NEW, OLD), strict=True):
        file.write_text(text, encoding="utf-8")
    return files


def run(runs: Path, *words: object) -> Result:
    return CliRunner().invoke(cli, ["--runs-dir", str(runs), *map(str, words)])


def events_of(result: Result, kind: str) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.stderr
    return [event for event in map(json.loads, result.stdout.splitlines()) if event["event"] == kind]


def test_the_weights_and_the_order_of_the_alphabet_are_the_models(
    model: Path, texts: tuple[Path, Path], tmp_path: Path
) -> None:
    new, old = texts
    tuned = ("train", new, "--init-from", model, "--old-text", old, *TINY, "--max-steps", 3)
    result = run(tmp_path / "runs", *tuned, "--print-every", 2, "--json")
    (started,) = events_of(result, "run_started")
    before = read_checkpoint(model)
    tokens = before.vocabulary.tokens
    assert started["new_tokens"] == "éЖ"
    assert started["tokens"] == len(tokens) + 2
    settings = started["settings"]
    assert isinstance(settings, dict)
    assert (settings["n_hidden"], settings["n_layers"]) == (16, 1)
    assert settings["lr"] == pytest.approx(LEARNING_RATES[256] * TUNING_SHARE)
    evaluations = events_of(result, "evaluated")
    assert [each["step"] for each in evaluations] == [0, 2, 3]  # before the first step, too
    first = read_checkpoint(tmp_path / "runs" / "new-1" / "checkpoints" / "step-00000000.safetensors")
    assert first.vocabulary.tokens == (*tokens, "é", "Ж")
    for name, weights in before.weights.items():
        kept = first.weights[name][tuple(map(slice, weights.shape))]  # in float16
        assert kept == pytest.approx(weights, abs=1e-3)
    assert np.abs(first.weights["lstm.weight_ih_l0"][:, len(tokens) :]).min() > 0
    ids = first.vocabulary.encode(OLD[3600:])
    assert evaluations[0]["old_val_loss"] == pytest.approx(
        np.mean(list(batch_losses(CharModel(first), ids, 4, 10))), abs=1e-3
    )
    assert evaluations[1]["old_val_loss"] != evaluations[0]["old_val_loss"]


def test_a_fine_tuned_run_is_resumed_without_the_model_and_says_what_it_came_from(
    model: Path, texts: tuple[Path, Path], tmp_path: Path
) -> None:
    new, old = texts
    tuned = ("train", new, "--init-from", model, "--old-text", old, *TINY, "--epochs", 1)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    plain = run(whole, *tuned)
    assert plain.exit_code == 0, plain.stderr
    assert "new to it, with the weights of a new model: é Ж" in plain.stderr
    assert "old text " in plain.stderr
    assert run(parts, *tuned, "--max-steps", 5).exit_code == 0
    model.rename(tmp_path / "moved.safetensors")
    settings = RunDirectory(whole / "new-1").read_settings()["settings"]
    resumed = run(parts, "train", "--resume", "new-1", "--max-steps", 10**6)
    assert resumed.exit_code == 0, resumed.stderr
    ends = [read_checkpoint(runs / "new-1" / "last.safetensors") for runs in (whole, parts)]
    assert ends[0].vocabulary == ends[1].vocabulary
    assert settings["schedule"] == "one-cycle"  # whose rates the shorter plan has changed, so the weights differ
    assert ends[0].facts["settings"]["init_from"] == str(model)
    assert f"started from      {model}" in run(parts, "info", "new-1").stdout
    old.unlink()
    refused = run(parts, "train", "--resume", "new-1", "--max-steps", 10**6, "--epochs", 2)
    assert refused.exit_code == 1
    assert str(old) in refused.stderr


@pytest.mark.parametrize("kind", ["net", "foreign"])
def test_models_of_other_programs_are_as_good_a_start(
    kind: str, model: Path, texts: tuple[Path, Path], tmp_path: Path
) -> None:
    file = tmp_path / "other.net"
    if kind == "net":
        write_net(file, read_checkpoint(model))
    else:
        characters = sorted(set(OLD))
        layers = {"encoder": nn.Embedding(len(characters), 8), "rnn": nn.LSTM(8, 12, 2)}
        layers["decoder"] = nn.Linear(12, len(characters))
        torch.save({"model": nn.ModuleDict(layers).state_dict(), "chars": "".join(characters)}, file)
    result = run(tmp_path / "runs", "train", texts[0], "--init-from", file, *TINY, "--max-steps", 2, "--json")
    (started,) = events_of(result, "run_started")
    assert started["new_tokens"] == "éЖ"
    evaluated = events_of(result, "evaluated")[0]
    assert (evaluated["step"], evaluated["old_val_loss"]) == (0, None)


def test_what_cannot_be_a_start_is_refused_in_one_line(model: Path, texts: tuple[Path, Path], tmp_path: Path) -> None:
    new, old = texts
    short = tmp_path / "short.txt"
    short.write_text("abc")
    for words, code, problem in (
        (("--init-from", model, "--n-hidden", 8), 2, "--n-hidden: old.safetensors has 16; leave the option out"),
        (("--init-from", "nosuch"), 1, "nosuch: no such file"),
        (("--init-from", old), 1, "is not a checkpoint"),
        (("--init-from", model, "--old-text", short), 2, "--old-text: "),
        (("--init-from", model, "--old-text", tmp_path / "gone.txt"), 1, "gone.txt: no such file"),
        (("--init-from", model, "--old-text", old, "--val-frac", 0), 2, "--val-frac 0"),
    ):
        result = run(tmp_path / "runs", "train", new, *words, *TINY, "--max-steps", 1)
        assert (result.exit_code, problem in result.stderr) == (code, True), result.stderr
        assert len(result.stderr.splitlines()) <= 4
    assert not list((tmp_path / "runs").glob("new-*"))


def test_a_cell_that_is_not_trained_and_weights_that_diverged_are_named(tmp_path: Path) -> None:
    vocabulary = Vocabulary("ab")
    good = random_checkpoint(vocabulary, n_layers=1)
    diverged = {name: np.full_like(weights, np.nan) for name, weights in good.weights.items()}
    write_checkpoint(tmp_path / "nan.safetensors", Checkpoint(diverged, vocabulary, 16, 1))
    with pytest.raises(SettingsError, match="not finite"):
        open_start(settings_for("quick", init_from=str(tmp_path / "nan.safetensors")), (), tmp_path)


def test_characters_of_the_old_text_that_nobody_knows_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("abcab☃" * 200, encoding="utf-8")
    settings = settings_for("quick", old_text=str(tmp_path / "old.txt"), batch_size=2, seq_length=5, val_frac=0.5)
    ids = read_old_text(settings, Vocabulary("cba"), tmp_path)
    assert ids is not None
    assert Vocabulary("cba").decode(ids) == "abcab" * 100
    assert read_old_text(settings_for("quick"), Vocabulary("cba"), tmp_path) is None
