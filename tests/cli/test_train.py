"""`charrnn-tui train`, in this process: what it says and what it leaves."""

import gzip
import json
import math
import shlex
from pathlib import Path

import pytest
import torch

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.text.batches import split_at
from tests.cli.conftest import TINY, Invoke, one_line, some_text

WITHOUT_EPOCHS = (*TINY[:8], *TINY[10:])


def test_a_training_tells_its_start_each_validation_and_its_end(invoke: Invoke, runs: Path, text_file: Path) -> None:
    result = invoke("train", text_file, *TINY, "--print-every", 20)
    assert result.exit_code == 0
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0] == f"run directory: {runs / 'happy-1'}"
    assert lines[1].startswith("happy-1: an LSTM of 1 × 16 units (")
    assert "2,000 characters" in lines[1]
    validations = [line for line in lines if line.startswith("epoch 1/1 · step ")]
    assert [line.split(" · ")[1] for line in validations] == ["step 20/45", "step 40/45", "step 45/45"]
    assert all("val loss" in line and "(4 × 10)" in line and "chars/s" in line for line in validations)
    assert lines[-2] == f"checkpoint: {runs / 'happy-1' / 'best.safetensors'}"
    assert lines[-1].startswith("write with it: charrnn-tui sample happy-1")


def test_json_is_one_event_a_line_as_in_the_runs_own_file(invoke: Invoke, runs: Path, text_file: Path) -> None:
    result = invoke("train", text_file, *TINY, "--json", "--name", "named")
    assert (result.exit_code, result.stderr) == (0, "")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(event["time"] > 1e9 for event in events)
    assert events[0]["event"] == "run_started"
    assert events[0]["run"] == "named"
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["state"] == "finished"
    assert sum(event["event"] == "step_done" for event in events) == 45
    assert result.stdout == (runs / "named" / "events.jsonl").read_text(encoding="utf-8")


def test_of_a_long_text_validations_are_rare_unless_it_is_said_how_many(
    invoke: Invoke, runs: Path, tmp_path: Path
) -> None:
    text = tmp_path / "long.txt"
    text.write_text(some_text(40_000), encoding="utf-8")
    tiny = (*TINY, "--preset", "notebook", "--epochs", 8, "--max-steps", 3200, "--val-frac", 0.5)
    assert invoke("train", text, *tiny, "--name", "rare").exit_code == 0
    assert invoke("train", text, *tiny, "--name", "said", "--print-every", 300, "--max-steps", 301).exit_code == 0
    settings = [RunDirectory(runs / name).read_settings()["settings"] for name in ("rare", "said")]
    assert [each["print_every"] for each in settings] == [400, 300]
    evaluations = [json.loads(line) for line in (runs / "rare" / "events.jsonl").read_text().splitlines()]
    assert [event["step"] for event in evaluations if event["event"] == "evaluated"] == list(range(400, 3201, 400))


def test_an_option_that_is_given_wins_over_the_preset(invoke: Invoke, runs: Path, text_file: Path) -> None:
    result = invoke("train", text_file, *TINY, "--preset", "quick", "--clip", 2.5, "--max-steps", 3)
    assert result.exit_code == 0
    settings = RunDirectory(runs / "happy-1").read_settings()["settings"]
    assert (settings["preset"], settings["clip"], settings["batch_size"]) == ("quick", 2.5, 4)
    assert (settings["lr"], settings["schedule"], settings["output_bias"]) == (0.01, "one-cycle", True)
    assert read_checkpoint(runs / "happy-1" / "last.safetensors").facts["step"] == 3


def test_without_validation_the_lines_tell_the_training_loss(invoke: Invoke, text_file: Path) -> None:
    result = invoke("train", text_file, *TINY, "--val-frac", 0, "--print-every", 25)
    assert result.exit_code == 0
    assert "step 25/50 · loss" in result.stderr
    assert "val loss" not in result.stderr


def test_several_files_are_one_text_in_their_order(invoke: Invoke, runs: Path, text_file: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("zzz" * 100)
    assert invoke("train", text_file, tmp_path / "more.txt", *TINY, "--max-steps", 1).exit_code == 0
    run = runs / f"{tmp_path.name}-1"  # named after the directory that has them both
    assert read_checkpoint(run / "last.safetensors").facts["chars"] == 2300


def test_rare_characters_become_one(invoke: Invoke, runs: Path, tmp_path: Path) -> None:
    text, file = some_text(1990) + "漢字§€漢字", tmp_path / "t.txt"
    file.write_text(text)
    assert invoke("train", file, *TINY, "--max-steps", 20, "--min-count", 2, "--name", "rare").exit_code == 0
    info = json.loads(invoke("info", "rare", "--json").stdout)["checkpoint"]
    assert {*info["alphabet"]} == {*some_text(1990), "漢", "字", "\ufffd"}
    assert info["settings"]["min_count"] == 2
    assert "\ufffd for those that occur less than 2 times" in invoke("info", "rare").stdout
    scored = json.loads(invoke("score", "rare", file, "--part", "val", "--json").stdout)
    assert (scored["as_trained"], scored["min_count"]) == (True, 2)
    other = tmp_path / "other.txt"
    other.write_text("The 字 all 5 happy ü")
    refused = invoke("score", "rare", other)
    assert "the model has \ufffd for rare characters: try --unknown convert" in one_line(refused)
    converted = invoke("score", "rare", other, "--unknown", "convert", "--json")
    assert json.loads(converted.stdout)["chars"] == 18
    assert "2 of 19 characters replaced by \ufffd: not in the model's alphabet: '5'" in converted.stderr
    assert "--min-count 5000: no character" in one_line(invoke("train", file, *TINY, "--min-count", 5000))


def test_a_training_that_diverges_fails_with_its_reason_and_keeps_the_last_good_model(
    invoke: Invoke, runs: Path, text_file: Path
) -> None:
    explosive = ("--lr", 9.99, "--weight-decay", 9.99, "--clip", 999999, "--print-every", 1000, "--epochs", 9)
    result = invoke("train", text_file, *TINY, *explosive)
    assert result.exit_code == 1
    assert "charrnn-tui: the training failed: the loss or its gradient is not a number" in result.stderr
    assert "try a smaller --lr" in result.stderr
    assert read_checkpoint(runs / "happy-1" / "last.safetensors").finite


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"\x7fELF\x00\x01\x02", "binary"),
        (b"caf\xe9 au lait", "byte 0xe9 at offset 3"),
        (b"too short", "too short"),
    ],
)
def test_a_text_that_cannot_be_trained_on_is_refused_in_one_line_and_leaves_no_run(
    invoke: Invoke, runs: Path, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    result = invoke("train", path)
    assert result.exit_code == 1
    assert words in one_line(result)
    assert not runs.exists()


def test_alphabets_compare_by_bits_per_byte(invoke: Invoke, runs: Path, tmp_path: Path) -> None:
    text = some_text(1800).replace("e", "é").replace("a", "世")
    (tmp_path / "other.txt").write_text(text, encoding="utf-8")
    result = invoke("train", tmp_path / "other.txt", *TINY, "--val-frac", 0.2, "--json")
    assert result.exit_code == 0
    held_out = text[split_at(len(text), 0.2) :]
    bytes_per_char = len(held_out.encode()) / len(held_out)
    values = json.loads(invoke("info", "other-1", "--json").stdout)
    for each in (values, values["checkpoint"]):
        assert each["bytes_per_char"] == pytest.approx(bytes_per_char)
        assert each["bits_per_byte"] == pytest.approx(each["bits_per_char"] / bytes_per_char)
        assert each["bits_per_byte"] < each["bits_per_char"] - 0.5
    assert f"{values['bits_per_byte']:.3f} bits/byte" in invoke("info", "other-1").stdout
    part = ("--part", "val", "--val-frac", 0.2)
    score = json.loads(invoke("score", "other-1", tmp_path / "other.txt", *part, "--ngrams", 2, "--json").stdout)
    assert score["bits_per_byte"] == pytest.approx(score["bits_per_char"] / bytes_per_char, rel=0.01)
    assert all(each["bits_per_byte"] < each["loss"] / math.log(2) for each in score["ngrams"])
    assert "bits/byte" in invoke("score", "other-1", tmp_path / "other.txt").stdout
    surprise = json.loads(invoke("surprise", "other-1", tmp_path / "other.txt", "--json").stdout)
    assert surprise["bits_per_byte"] < surprise["bits_per_char"]
    described = json.loads(invoke("text", tmp_path / "other.txt", "--json").stdout)
    assert described["bytes_per_char"] == pytest.approx(len(text.encode()) / len(text))


def test_a_directory_is_the_text_of_its_files(invoke: Invoke, runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "novels"
    folder.mkdir()
    assert "there is no file of text in this directory" in one_line(invoke("train", folder))
    (folder / "1.txt").write_text(some_text(1500))
    (folder / "2.txt.gz").write_bytes(gzip.compress(b"zzz" * 100))
    (folder / "3.png").write_bytes(b"\x89PNG\0")
    (folder / "4.txt").write_bytes(b"caf\xe9 au lait")
    refused = invoke("train", folder, *TINY)
    assert refused.exit_code == 1
    assert f"charrnn-tui: {folder}/4.txt: is not utf-8: byte 0xe9 at offset 3" in refused.stderr
    result = invoke("train", folder, *TINY, "--max-steps", 1, "--unreadable", "skip")
    assert f"left out: {folder}/3.png: looks like a binary file" in result.stderr
    assert f"left out: {folder}/4.txt: is not utf-8" in result.stderr
    (run,) = runs.glob("novels-1")
    assert read_checkpoint(run / "last.safetensors").facts["chars"] == 1800
    (folder / "0.txt").write_text("new, and not of the run")
    assert invoke("train", "--resume", run, "--max-steps", 2).exit_code == 0
    values = json.loads(invoke("text", f"{folder}/[12]*", "--json").stdout)
    assert (values["files"], values["chars"], values["file"]) == (2, 1800, [f"{folder}/[12]*"])
    scored = json.loads(invoke("score", run, f"{folder}/[12]*", "--part", "val", "--json").stdout)
    assert scored["as_trained"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--lr", "nan"),
        ("--lr", "0"),
        ("--lr", "fast"),
        ("--n-hidden", "0"),
        ("--n-hidden", "1.5"),
        ("--epochs", "-1"),
        ("--drop-prob", "1"),
        ("--val-frac", "1"),
        ("--preset", "slow"),
        ("--device", "tpu"),
        ("--precision", "float8"),
        ("--encoding", "utf-9"),
        ("--encoding", "base64"),
        ("--threads", "0"),
        ("--seed", "-1"),
        ("--name", "../x"),
    ],
)
def test_a_wrong_value_is_wrong_usage_that_names_the_option(
    invoke: Invoke, text_file: Path, runs: Path, option: str, value: str
) -> None:
    result = invoke("train", text_file, *TINY, option, value)
    assert result.exit_code == 2
    assert option in one_line(result)
    assert not runs.exists() or not list(runs.iterdir())


def test_a_budget_plans_the_steps_and_their_number_is_said(invoke: Invoke, runs: Path, text_file: Path) -> None:
    soon = ("--lr", 1.0, "--schedule", "constant", "--print-every", 1, "--patience", 1)  # is worse from some step on
    result = invoke("train", text_file, *WITHOUT_EPOCHS, "--budget", "1h30m", *soon)
    assert result.exit_code == 0, result.stderr
    assert "steps fit into the budget of 1 h 30 min" in result.stderr
    settings = RunDirectory(runs / "happy-1").read_settings()["settings"]
    assert (settings["budget"], settings["n_hidden"]) == (5400.0, 16)
    assert settings["max_steps"] > 1000
    started = RunDirectory(runs / "happy-1").progress().started
    assert started is not None
    assert started.settings["budget"] == 5400.0
    assert invoke("train", "--resume", "happy-1", "--patience", 2, "--epochs", 1).exit_code == 0
    resumed = RunDirectory(runs / "happy-1").read_settings()["settings"]
    assert (resumed["budget"], resumed["max_steps"]) == (None, None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--budget", "10"), "'10' is not a time such as 90s, 10m, 1h30m or 2h"),
        (("--budget", "0s"), "--budget: 0.0 is not a time from 1s to 365d"),
        (("--budget", "1m", "--epochs", "2"), "--budget decides how long to train: leave --epochs out"),
        (("--budget", "1m", "--max-steps", "2"), "--budget decides how long to train: leave --max-steps out"),
        (("--budget", "1s", "--n-layers", "40", "--n-hidden", "600"), "--budget: 1.0 s is time for"),
        (("--patience", "2", "--val-frac", "0"), "--patience: counts validations"),
    ],
)
def test_a_budget_that_means_nothing_is_wrong_usage(
    invoke: Invoke, text_file: Path, runs: Path, options: tuple[str, ...], words: str
) -> None:
    result = invoke("train", text_file, *WITHOUT_EPOCHS, *options)
    assert result.exit_code == 2
    assert words in one_line(result)
    assert not runs.exists() or not list(runs.iterdir())


def test_a_name_that_is_taken_is_refused(invoke: Invoke, runs: Path, text_file: Path) -> None:
    (runs / "taken").mkdir(parents=True)
    result = invoke("train", text_file, *TINY, "--name", "taken")
    assert result.exit_code == 2
    assert "there is a run of this name already" in one_line(result)


def test_a_device_that_is_not_here_is_refused_and_leaves_no_run(invoke: Invoke, runs: Path, text_file: Path) -> None:
    absent = "mps" if torch.cuda.is_available() else "cuda"  # no machine has both
    result = invoke("train", text_file, *TINY, "--device", absent)
    assert result.exit_code == 2
    assert f"--device: {absent} is not available" in result.stderr
    assert list(runs.iterdir()) == []


def test_a_place_where_no_run_can_be_made_is_named(text_file: Path, invoke: Invoke) -> None:
    result = invoke("train", text_file, *TINY, "--runs-dir", text_file)
    assert result.exit_code == 1
    assert f"{text_file}: no run can be made there" in one_line(result)


def test_the_app_and_json_exclude_each_other(invoke: Invoke, text_file: Path) -> None:
    result = invoke("train", text_file, "--app", "--json")
    assert result.exit_code == 2
    assert "choose one" in one_line(result)


def test_the_app_needs_a_terminal_and_starts_no_run_without(invoke: Invoke, runs: Path, text_file: Path) -> None:
    result = invoke("train", text_file, "--app")
    assert result.exit_code == 2
    assert "needs a terminal" in one_line(result)
    assert not runs.exists()


@pytest.mark.parametrize("state", ["finished", "failed"])
def test_a_command_is_given_the_result_at_the_end(
    invoke: Invoke, runs: Path, text_file: Path, tmp_path: Path, state: str
) -> None:
    options = ("--lr", 9.99, "--weight-decay", 9.99, "--clip", 999999, "--epochs", 9) if state == "failed" else ()
    result = tmp_path / "result.json"
    invoke("train", text_file, *TINY, *options, "--on-end", f"cat > {shlex.quote(str(result))}")
    values = json.loads(result.read_text())
    assert (values["run"], values["state"]) == ("happy-1", state)
    (listed,) = json.loads(invoke("runs", "--json").stdout)
    assert values == listed


def test_a_command_that_fails_at_the_end_is_told_and_changes_no_exit_code(invoke: Invoke, text_file: Path) -> None:
    result = invoke("train", text_file, *TINY, "--max-steps", 1, "--on-end", "exit 3")
    assert result.exit_code == 0
    assert "--on-end: the command ended with exit code 3: exit 3" in result.stderr


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "cp1251", "utf-8-sig"])
def test_every_encoding_of_texts_can_be_asked_for(
    invoke: Invoke, text_file: Path, checkpoint_file: Path, encoding: str
) -> None:
    text_file.write_bytes(text_file.read_text("utf-8").encode(encoding))
    assert invoke("train", text_file, *TINY, "--encoding", encoding).exit_code == 0
    assert invoke("score", checkpoint_file, text_file, "--encoding", encoding).exit_code == 0


def test_any_file_is_learned_as_bytes_and_what_is_utf_8_is_written_as_it(
    invoke: Invoke, runs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "any.bin"
    file.write_bytes("на\r\n".encode() * 200 + b"\0\xff")
    trained = invoke("train", file, *TINY, "--bytes", "--name", "any", "--sample-prime", "я")
    assert trained.exit_code == 0
    assert "1,202 bytes" in trained.stderr
    events = [json.loads(line) for line in RunDirectory(runs / "any").events_file.read_text().splitlines()]
    assert {event["prime"] for event in events if event["event"] == "sample_written"} == {"я"}
    info = json.loads(invoke("info", "any", "--json").stdout)["checkpoint"]
    assert (info["tokens"], info["bytes_per_char"], info["settings"]["encoding"]) == (256, 1.0, "bytes")
    assert "the 256 bytes" in invoke("info", "any").stdout
    scored = json.loads(invoke("score", "any", file, "--part", "val", "--json").stdout)
    assert (scored["as_trained"], scored["bits_per_byte"]) == (True, scored["bits_per_char"])
    options = ("--prime", "нa", "--length", 30, "--seed", 1)
    assert invoke("sample", "any", *options).stdout_bytes.startswith("нa".encode())
    written = json.loads(invoke("sample", "any", *options, "--json").stdout)
    assert (written["prime"], written["chars"]) == ("нa", 30)
    assert "bytes" in one_line(invoke("sample", "any", "--ban", "я"))
    assert "exclude each other" in one_line(invoke("train", file, "--bytes", "--encoding", "cp1251"))


def test_each_text_that_is_named_has_a_weight(invoke: Invoke, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    for name in ("texts/a", "texts/b", "c"):
        (tmp_path / name).write_text(some_text(400))
    names = (tmp_path / "texts", tmp_path / "c")
    result = invoke("train", *names, *TINY, "--weights", "3, 1", "--name", "mixed")
    assert result.exit_code == 0
    steps = json.loads(invoke("info", "mixed", "--json").stdout)["steps"]
    assert steps == (2 * 3 * 400 + 400 - 120) // 40
    assert RunDirectory(runs / "mixed").read_settings()["settings"]["weights"] == "3,3,1"
    assert "1 for 2 CORPUS" in one_line(invoke("train", *names, *TINY, "--weights", "3"))
    assert "--weights" in one_line(invoke("train", *names, *TINY, "--weights", "3,0"))
