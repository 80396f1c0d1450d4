"""`charrnn-tui runs`, `watch` and `info`: what a run is, told without touching it."""

import json
import math
import time
from dataclasses import replace
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import Evaluated, Event, RunFinished, RunStarted, StepDone
from charrnn_tui.run.kept_checkpoints import kept_file
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.training.checkpoint_history import CheckpointHistory
from tests.cli.conftest import Invoke, one_line, random_checkpoint
from tests.cli.program import finish, start

STARTED = RunStarted(
    time=100.0, run="happy-1", corpus="happy", chars=2000, tokens=26, parameters=3000, device="cpu", threads=1,
    precision="float32", epochs=2, steps=90, flops_per_char=18_000_000, limit_gflops=10.0,
    settings={"n_layers": 2, "n_hidden": 16, "batch_size": 4, "seq_length": 10},
)  # fmt: skip
STEP = StepDone(
    time=101.0, step=40, epoch=1, loss=2.5, grad_norm=1.0, lr=0.001, seconds=0.1, chars_per_second=400.0,
    train_seconds=4.0, eta_seconds=5.0,
)  # fmt: skip
EVALUATED = Evaluated(
    time=102.0, step=40, epoch=1, loss=2.5, val_loss=2.25, best_val_loss=2.25, best=True, batch_size=4, seq_length=10,
    seconds=0.1,
)  # fmt: skip
FINISHED = RunFinished(time=103.0, step=90, state="finished", train_seconds=9.0, val_loss=2.25, best_val_loss=2.25)


def a_run(runs: Path, *events: Event, name: str | None = None) -> RunDirectory:
    """A run in which this has happened."""
    run = RunDirectory.create(runs, "happy", name)
    writer = EventWriter(run.events_file)
    for event in events:
        writer.append(event)
    writer.close()
    return run


def test_no_runs_yet_says_how_to_start_one(invoke: Invoke, runs: Path) -> None:
    plain, as_json = invoke("runs"), invoke("runs", "--json")
    assert (plain.exit_code, plain.stdout) == (0, "")
    assert f"no runs yet in {runs}" in plain.stderr
    assert "charrnn-tui train" in plain.stderr
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (0, [])


def test_a_run_whose_first_event_is_damaged_is_shown_with_what_is_known(invoke: Invoke, runs: Path) -> None:
    a_run(runs, STEP, EVALUATED, name="torn")
    listed, told = invoke("runs").stdout, invoke("info", "torn").stdout
    assert "2.2500" in listed
    assert "4.0 s at 400 chars/s\n" in told


def test_an_end_of_no_known_kind_is_passed_over(invoke: Invoke, runs: Path) -> None:
    run = a_run(runs, STARTED, STEP, name="odd")
    with run.events_file.open("a") as file:
        file.write('{"event": "run_finished", "time": 103.0, "step": 40, "state": "melted"}\n')
    assert "interrupted" in invoke("runs").stdout


def test_runs_are_listed_with_state_and_losses_and_the_batches_these_depend_on(invoke: Invoke, runs: Path) -> None:
    a_run(runs, STARTED, STEP, EVALUATED, FINISHED, name="done-1")
    a_run(runs, STARTED, STEP, EVALUATED, name="dead")
    lines = invoke("runs").stdout.splitlines()
    heads = [
        "run",
        "state",
        "step",
        "epoch",
        "val nats/char",
        "best nats/char",
        "batches",
        "kept",
        "size",
        "last event",
    ]
    assert lines[0].split() == " ".join(heads).split()
    done = next(line for line in lines if line.startswith("done-1"))
    assert "✓ finished" in done
    assert "90/90" in done
    assert "2.2500" in done
    assert "4×10" in done
    assert "interrupted" in next(line for line in lines if line.startswith("dead"))


def test_a_runs_name_in_json_is_its_directorys(invoke: Invoke, runs: Path) -> None:
    a_run(runs, STARTED, STEP, EVALUATED, FINISHED, name="renamed")
    (values,) = json.loads(invoke("runs", "--json").stdout)
    assert (values["run"], values["state"], values["step"], values["steps"]) == ("renamed", "finished", 90, 90)
    assert (values["val_loss"], values["best_val_loss"]) == (2.25, 2.25)
    assert (values["batch_size"], values["seq_length"]) == (4, 10)


def test_watch_once_says_how_a_run_stands(invoke: Invoke, runs: Path) -> None:
    run = a_run(runs, STARTED, STEP, EVALUATED)
    lock = run.lock()
    values = json.loads(invoke("watch", "happy-1", "--once", "--json").stdout)
    assert (values["state"], values["step"], values["steps"], values["epoch"]) == ("training", 40, 90, 1)
    assert (values["chars_per_second"], values["eta_seconds"]) == (400.0, 5.0)
    assert (values["gflops"], values["limit_gflops"], values["limit_share"]) == (7.2, 10.0, 0.72)
    plain = invoke("watch", run.path, "--once")
    assert plain.exit_code == 0
    assert "step 40 of 90, epoch 1 of 2" in plain.stdout
    assert "7.2 GFLOP/s, 72 % of the machine's limit of 10" in plain.stdout
    assert "2.2500 nats/char (3.246 bits/char, perplexity 9.49) at 4 × 10" in plain.stdout
    lock.release()


def test_a_run_whose_trainer_has_died_says_so_and_ends_the_watching(invoke: Invoke, runs: Path) -> None:
    a_run(runs, STARTED, STEP, EVALUATED)
    result = invoke("watch", "happy-1", "--plain")
    assert result.exit_code == 1
    way_out = f"resume with: charrnn-tui train --resume happy-1 --runs-dir {runs}"
    assert result.stderr == f"charrnn-tui: happy-1: the training process exited, after step 40; {way_out}\n"
    assert "val loss 2.2500" in result.stdout


@pytest.mark.parametrize(("state", "code"), [("finished", 0), ("stopped", 0), ("failed", 1), ("interrupted", 1)])
def test_how_a_run_ended_is_the_exit_code_of_who_watched_it(invoke: Invoke, runs: Path, state: str, code: int) -> None:
    a_run(runs, STARTED, STEP, EVALUATED, RunFinished(time=1.0, step=40, state=state, reason="the reason"))
    result = invoke("watch", "happy-1")  # not a terminal: plain lines
    assert result.exit_code == code
    assert f"{state} at step 40" in result.stdout
    assert ("the reason" in result.stderr) == (code == 1)


def test_a_run_is_followed_line_by_line_until_it_ends(runs: Path) -> None:
    run = a_run(runs, STARTED)
    lock, writer = run.lock(), EventWriter(run.events_file)
    process = start("watch", "happy-1", "--json", runs=runs)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "run_started"
    for event in (STEP, EVALUATED):
        writer.append(event)
        assert json.loads(process.stdout.readline())["step"] == 40
    writer.append(FINISHED)
    code, rest, stderr = finish(process)
    assert (code, json.loads(rest)["event"], stderr) == (0, "run_finished", "")
    writer.close()
    lock.release()


def test_a_run_that_is_not_there_is_named_beside_those_that_are(invoke: Invoke, runs: Path) -> None:
    a_run(runs, STARTED)
    result = invoke("watch", "nowhere", "--once")
    assert result.exit_code == 1
    assert "nowhere: no such run" in one_line(result)
    assert "there are happy-1" in result.stderr


def test_info_of_a_checkpoint_tells_all_it_knows(invoke: Invoke, checkpoint_file: Path) -> None:
    values = json.loads(invoke("info", checkpoint_file, "--json").stdout)
    tokens = values["tokens"]
    assert (values["kind"], values["format"], values["bytes"]) == (
        "checkpoint", "safetensors", checkpoint_file.stat().st_size,
    )  # fmt: skip
    assert len(values["alphabet"]) == tokens
    assert len(values["sha256"]) == 64
    assert (values["n_hidden"], values["n_layers"], values["cell"]) == (16, 2, "lstm")
    assert values["parameters"] == 4 * 16 * (tokens + 16 + 2) + 4 * 16 * (16 + 16 + 2) + tokens * 17
    assert (values["val_loss"], values["batch_size"], values["seq_length"]) == (1.5, 4, 10)
    assert values["bits_per_char"] == pytest.approx(1.5 / math.log(2))
    assert values["uniform_loss"] == pytest.approx(math.log(tokens))
    assert values["corpus"] is values["run"] is values["step"] is None
    plain = invoke("info", checkpoint_file).stdout
    assert "1.5000 nats/char (2.164 bits/char, 2.164 bits/byte, perplexity 4.48) at 4 × 10" in plain
    assert f"{math.log(tokens):.4f} nats/char" in plain


def test_info_of_a_run_tells_the_run_and_its_best_checkpoint(invoke: Invoke, runs: Path) -> None:
    run = a_run(runs, STARTED, STEP, EVALUATED, FINISHED)
    empty = json.loads(invoke("info", "happy-1", "--json").stdout)
    assert (empty["kind"], empty["state"], empty["checkpoint"]) == ("run", "finished", None)
    assert "none saved yet" in invoke("info", "happy-1").stdout
    write_checkpoint(run.best_file, random_checkpoint(Vocabulary("abc\x1b")))
    values = json.loads(invoke("info", run.path, "--json").stdout)
    assert values["best_val_loss"] == 2.25
    assert values["checkpoint"]["alphabet"] == ["a", "b", "c", "\x1b"]
    plain = invoke("info", "happy-1").stdout
    assert "finished" in plain
    assert "abc␛" in plain


def test_a_name_is_shown_as_it_is_and_never_as_markup(invoke: Invoke, runs: Path) -> None:
    (runs / "[red]x[-]").mkdir(parents=True)
    writer = EventWriter(runs / "[red]x[-]" / "events.jsonl")
    writer.append(STARTED)
    writer.close()
    assert "[red]x[-]" in invoke("runs").stdout


def test_ages_count_from_the_last_event(invoke: Invoke, runs: Path) -> None:
    two_hours_ago = time.time() - 7200
    a_run(runs, STARTED, RunFinished(time=two_hours_ago, step=1, state="stopped"))
    assert "2 h 00 min ago" in invoke("runs").stdout


def test_kept_checkpoints_are_counted_and_can_be_named_as_any_checkpoint(invoke: Invoke, runs: Path) -> None:
    run = a_run(runs, STARTED, STEP, EVALUATED)
    assert "kept checkpoints" not in invoke("info", "happy-1").stdout
    kept = CheckpointHistory(run.path, 24)
    for step in (0, 9, 40):
        kept.add(step, replace(random_checkpoint(Vocabulary("abc")), facts={"step": step}))
    (run.path / "checkpoints" / ".step-00000050.safetensors.77.part").write_bytes(b"torn")
    (values,) = json.loads(invoke("runs", "--json").stdout)
    assert (values["kept_checkpoints"], values["kept_steps"]) == (3, [0, 9, 40])
    header, row = invoke("runs").stdout.splitlines()
    assert row[header.index("kept") :].startswith("   3 ")
    assert "kept checkpoints  3, of steps 0 to 40" in invoke("info", "happy-1").stdout
    file = kept_file(run.path, 9)
    assert "weights rounded to float16" in invoke("info", file).stdout
    assert json.loads(invoke("info", file, "--json").stdout)["step"] == 9
    assert len(invoke("sample", file, "--prime", "a", "--length", "7").stdout) == 8
    (run.path / "abc.txt").write_text("abcabc")
    assert invoke("score", file, run.path / "abc.txt").exit_code == 0
