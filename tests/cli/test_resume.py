"""`train --resume` and `--detach` on real processes: killed at random moments, gone on with, left alone."""

import json
import os
import random
import re
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from charrnn_tui.run.control import Stop
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.mailbox import leave_request
from charrnn_tui.runner.resume import TAKE_OVER_SECONDS
from tests.cli.conftest import TINY, Invoke, one_line
from tests.cli.program import finish, start

SLOWER = (*TINY[:-2], "--drop-prob", 0.4, "--sample-length", 1, "--epochs", 12, "--print-every", 25)  # wins over TINY
PATIENCE_SECONDS = 60.0
BUDGET_SECONDS = 10.0  # of training between two savings: five, or fifty times what one costs, and the steps around


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "this never came to hold"
        time.sleep(0.01)


def events_of(run: RunDirectory) -> list[dict[str, Any]]:
    lines = run.events_file.read_bytes().split(b"\n")[:-1]  # what follows the last newline is torn
    return [values for line in lines if (values := _object(line))]


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        values: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return values


def history(run: RunDirectory) -> dict[tuple[str, int], Any]:
    """The true one: what was told last of each step and validation."""
    told = {}
    for event in events_of(run):
        if event["event"] == "step_done":
            told["step", event["step"]] = (event["loss"], event["grad_norm"], event["lr"])
        elif event["event"] == "evaluated":
            told["validation", event["step"]] = (event["val_loss"], event["best_val_loss"])
    return told


def undisturbed(runs: Path, text_file: Path) -> RunDirectory:
    code, _, words = finish(start("train", text_file, *SLOWER, "--name", "whole", runs=runs))
    assert code == 0, words
    return RunDirectory(runs / "whole")


def lost_seconds(run: RunDirectory) -> list[float]:
    """Of each resumption: the training between the state that it went on from and the last step that was told."""
    lost, told = [], {0: 0.0}
    for event in events_of(run):
        if event["event"] == "step_done":
            told[event["step"]] = event["train_seconds"]
        elif event["event"] == "run_started" and event["resumed_at_step"] is not None:
            kept = event["resumed_at_step"]
            lost.append(max(told.values()) - told[kept])
            told = {step: seconds for step, seconds in told.items() if step <= kept}
    return lost


def killed_again_and_again(runs: Path, text_file: Path, name: str, kills: int, dice: random.Random) -> RunDirectory:
    """Train, kill -9, resume, …; after the last kill it may finish."""
    run = RunDirectory(runs / name)
    arguments: tuple[object, ...] = (text_file, *SLOWER, "--name", name)
    for _ in range(kills):
        if run.progress().state == "finished":
            break
        lines = run.events_file.read_bytes().count(b"\n") if run.events_file.exists() else 0
        process = start("train", *arguments, runs=runs)
        wanted = lines + dice.randrange(1, 120)
        until(lambda: _lines(run) >= wanted or process.poll() is not None)  # noqa: B023 - waited for at once
        time.sleep(dice.random() * 0.05)
        process.kill()
        process.communicate()
        if not run.resume_file.exists():  # killed before the first saving: nothing to resume, nothing is lost
            run.delete()
            continue
        assert run.trainer() is None
        arguments = ("--resume", name)
    while run.progress().state != "finished":
        code, _, words = finish(start("train", *arguments, runs=runs))
        assert code == 0, words
    return run


def _lines(run: RunDirectory) -> int:
    return run.events_file.read_bytes().count(b"\n") if run.events_file.exists() else 0


@pytest.mark.timeout(300)
def test_a_training_killed_at_random_moments_ends_with_the_losses_of_one_that_was_not(
    runs: Path, text_file: Path
) -> None:
    whole = undisturbed(runs, text_file)
    run = killed_again_and_again(runs, text_file, "killed", 4, random.Random(1))
    assert history(run) == history(whole)
    progress = run.progress()
    assert list(progress.steps) == list(range(1, progress.total_steps + 1))
    assert list(progress.losses) == list(whole.progress().losses)
    assert list(progress.val_losses) == list(whole.progress().val_losses)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_fifty_kills_lose_nothing(runs: Path, text_file: Path) -> None:
    whole = undisturbed(runs, text_file)
    dice, kills = random.Random(), 0
    for number in range(100):
        run = killed_again_and_again(runs, text_file, f"killed-{number}", 6, dice)
        assert history(run) == history(whole)
        assert all(lost <= BUDGET_SECONDS for lost in lost_seconds(run)), lost_seconds(run)
        kills += sum(event["event"] == "run_started" for event in events_of(run)) - 1
        if kills >= 50:
            return
    raise AssertionError(f"only {kills} kills")


def test_a_stopped_run_goes_on_in_this_process_too(invoke: Invoke, runs: Path, text_file: Path) -> None:
    constant = (*TINY, "--schedule", "constant", "--print-every", 20)
    assert invoke("train", text_file, *constant, "--max-steps", 7, "--name", "short").exit_code == 0
    assert invoke("train", text_file, *constant, "--name", "whole").exit_code == 0
    result = invoke("train", "--resume", "short", "--epochs", 1)
    assert result.exit_code == 0, result.stderr
    assert "short: resumed at step 7: an LSTM" in result.stderr
    resumed = history(RunDirectory(runs / "short"))
    assert resumed.pop(("validation", 7))  # at the end that it had been given
    assert resumed == history(RunDirectory(runs / "whole"))
    settings = RunDirectory(runs / "short").read_settings()["settings"]
    assert (settings["epochs"], settings["max_steps"]) == (1, None)


def test_what_is_finished_needs_more_epochs(invoke: Invoke, runs: Path, text_file: Path) -> None:
    assert invoke("train", text_file, *TINY, "--schedule", "constant", "--lr", 0.001).exit_code == 0
    refused = invoke("train", "--resume", "happy-1")
    assert refused.exit_code == 1
    assert "has done 45 steps, all that --epochs 1 asks for; give a larger --epochs" in one_line(refused)
    assert invoke("train", "--resume", "happy-1", "--epochs", 2, "--lr", 0.0001).exit_code == 0
    assert RunDirectory(runs / "happy-1").progress().step == 90
    lrs = [event["lr"] for event in events_of(RunDirectory(runs / "happy-1")) if event["event"] == "step_done"]
    assert (lrs[0], lrs[-1]) == (0.001, 0.0001)


def test_what_has_ended_at_its_limit_is_told_which_one(invoke: Invoke, text_file: Path) -> None:
    assert invoke("train", text_file, *TINY, "--max-steps", 3).exit_code == 0
    refused = one_line(invoke("train", "--resume", "happy-1"))
    assert "has done 3 steps, all that --max-steps 3 asks for; give a larger --max-steps" in refused
    assert invoke("train", "--resume", "happy-1", "--max-steps", 1000).exit_code == 0
    refused = one_line(invoke("train", "--resume", "happy-1"))
    assert "has done 45 steps, all that --epochs 1 asks for; give a larger --epochs" in refused


def test_what_has_lost_its_patience_says_so_and_resumes_with_more(invoke: Invoke, runs: Path, text_file: Path) -> None:
    worse = ("--lr", 1.0, "--schedule", "constant", "--print-every", 1, "--patience", 2)  # from some step on
    ended = invoke("train", text_file, *TINY, *worse)
    assert ended.exit_code == 0
    assert "of training: no improvement in 2 validations" in ended.stderr
    progress = RunDirectory(runs / "happy-1").progress()
    assert (progress.state, progress.reason) == ("finished", "no improvement in 2 validations")
    assert progress.step == progress.val_steps[-1] < progress.total_steps
    (listed,) = json.loads(invoke("runs", "--json").stdout)
    assert listed["reason"] == "no improvement in 2 validations"
    assert "finished: no improvement in 2 validations" in invoke("info", "happy-1").stdout
    refused = invoke("train", "--resume", "happy-1")
    assert refused.exit_code == 1
    assert "no improvement in 2 validations, all that --patience 2 allows; give a larger" in one_line(refused)
    resumed = invoke("train", "--resume", "happy-1", "--patience", 3, "--max-steps", progress.step + 1)
    assert resumed.exit_code == 0, resumed.stderr
    assert RunDirectory(runs / "happy-1").progress().step == progress.step + 1


def test_a_finished_run_goes_on_within_a_budget_in_all(invoke: Invoke, runs: Path, text_file: Path) -> None:
    assert invoke("train", text_file, *TINY).exit_code == 0
    done = invoke("train", "--resume", "happy-1", "--budget", "1s", "--seed", 1)
    assert done.exit_code == 2, "the seed cannot change"
    stopped = invoke("train", "--resume", "happy-1", "--budget", "100d", "--patience", 1, "--lr", 3)
    assert stopped.exit_code == 0, stopped.stderr
    settings = RunDirectory(runs / "happy-1").read_settings()["settings"]
    assert settings["budget"] == 8_640_000.0
    assert settings["max_steps"] > 1000
    refused = one_line(invoke("train", "--resume", "happy-1", "--budget", "1s", "--patience", 9))
    assert "asks for; give a larger --budget to train it further" in refused


def test_who_takes_over_a_run_waits_for_its_trainer_only(invoke: Invoke, runs: Path, text_file: Path) -> None:
    assert invoke("train", text_file, *TINY, "--max-steps", 3).exit_code == 0
    lock = runs / "happy-1" / "lock"
    lock.unlink()
    lock.mkdir()
    started = time.monotonic()
    refused = one_line(invoke("train", "--resume", "happy-1", "--take-over", "--max-steps", 5))
    assert "happy-1: cannot be written: Is a directory" in refused
    assert time.monotonic() - started < TAKE_OVER_SECONDS


def test_a_changed_text_is_noticed_and_refused(invoke: Invoke, runs: Path, text_file: Path) -> None:
    assert invoke("train", text_file, *TINY, "--max-steps", 3).exit_code == 0
    text_file.write_text(text_file.read_text() + "more")
    result = invoke("train", "--resume", "happy-1", "--max-steps", 9)
    assert result.exit_code == 1
    assert "has changed since happy-1 was started with it" in one_line(result)
    assert RunDirectory(runs / "happy-1").progress().step == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--n-hidden", 8), "--n-hidden cannot change"),
        (("--preset", "quick"), "--preset cannot change"),
        (("--name", "other"), "--name cannot change"),
        (("--no-output-bias",), "--output-bias cannot change"),
    ],
)
def test_what_cannot_change_is_wrong_usage(
    invoke: Invoke, text_file: Path, options: tuple[object, ...], words: str
) -> None:
    assert invoke("train", text_file, *TINY, "--max-steps", 3).exit_code == 0
    result = invoke("train", "--resume", "happy-1", *options)
    assert result.exit_code == 2
    assert words in one_line(result)


def test_a_text_that_was_moved_is_named_and_stays_known(invoke: Invoke, runs: Path, text_file: Path) -> None:
    assert invoke("train", text_file, *TINY, "--max-steps", 3).exit_code == 0
    moved = text_file.rename(text_file.with_name("moved.txt"))
    refused = one_line(invoke("train", "--resume", "happy-1", "--max-steps", 5))
    assert f"{text_file}: no such file" in refused
    assert "if the run's text was moved, name it: charrnn-tui train --resume happy-1 PATH" in refused
    other = moved.with_name("other.txt")
    other.write_bytes(b"in another encoding, too: \xe9 " * 500)
    assert f"{other}: is not the text that happy-1 was started with" in one_line(
        invoke("train", "--resume", "happy-1", other, "--max-steps", 5)
    )
    assert invoke("train", "--resume", "happy-1", moved, "--max-steps", 5).exit_code == 0
    assert RunDirectory(runs / "happy-1").read_settings()["corpus"] == [str(moved)]
    assert invoke("train", "--resume", "happy-1", "--max-steps", 7).exit_code == 0
    assert RunDirectory(runs / "happy-1").progress().step == 7


def test_a_run_without_a_resume_file_is_told_so(invoke: Invoke, runs: Path, text_file: Path) -> None:
    assert invoke("train", text_file, *TINY, "--max-steps", 3).exit_code == 0
    RunDirectory(runs / "happy-1").resume_file.unlink()
    result = invoke("train", "--resume", "happy-1", "--max-steps", 5)
    assert result.exit_code == 1
    assert "resume.pt: no such file" in one_line(result)
    assert RunDirectory(runs / "happy-1").trainer() is None


def test_a_run_in_training_has_one_trainer(runs: Path, text_file: Path, invoke: Invoke) -> None:
    process = start("train", text_file, *SLOWER, "--epochs", 10_000, "--name", "busy", runs=runs)
    run = RunDirectory(runs / "busy")
    until(lambda: _lines(run) > 5)
    result = invoke("train", "--resume", "busy")
    assert result.exit_code == 1
    assert f"busy: is being trained already, by process {process.pid}" in one_line(result)
    leave_request(run.path, Stop("stopped", "by the test"))
    code, _, words = finish(process)
    assert code == 0
    assert "stopped at step" in words
    assert run.progress().state == "stopped"


def test_a_training_survives_the_hangup_of_its_terminal(runs: Path, text_file: Path) -> None:
    process = start("train", text_file, *SLOWER, "--epochs", 10_000, "--name", "hung", runs=runs)
    run = RunDirectory(runs / "hung")
    until(lambda: _lines(run) > 5)
    process.send_signal(signal.SIGHUP)
    until(lambda: run.progress().state == "detached")
    before = run.progress().step
    until(lambda: run.progress().step > before + 5)
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 143
    assert run.progress().state == "interrupted"


def test_a_hangup_may_save_and_stop(runs: Path, text_file: Path) -> None:
    options = ("--epochs", 10_000, "--name", "hung", "--on-hangup", "checkpoint-and-stop")
    process = start("train", text_file, *SLOWER, *options, runs=runs)
    run = RunDirectory(runs / "hung")
    until(lambda: _lines(run) > 5)
    process.send_signal(signal.SIGHUP)
    assert finish(process)[0] == 129
    assert (run.progress().state, run.progress().reason) == ("interrupted", "the terminal was closed")


def test_a_detached_training_goes_on_and_is_found_again(runs: Path, text_file: Path, invoke: Invoke) -> None:
    on_end = ("--on-end", f"cat > {shlex.quote(str(runs / 'result'))}")
    code, out, words = finish(
        start("train", text_file, *SLOWER, "--epochs", 10_000, "--name", "away", "--detach", *on_end, runs=runs)
    )
    assert (code, out) == (0, "")
    pid = int(re.search(r"away trains on without this terminal \(process (\d+)\)", words)[1])  # type: ignore[index]
    assert "come back with: charrnn-tui watch away" in words
    run = RunDirectory(runs / "away")
    try:
        assert run.trainer() == str(pid)
        assert os.getsid(pid) != os.getsid(0)
        until(lambda: run.progress().step > 5)
        assert run.progress().state == "detached"
        taken = finish(start("train", "--resume", "away", "--take-over", "--detach", "--json", runs=runs))
        assert taken[0] == 0, taken[2]
        told = json.loads(taken[1])
        assert told["pid"] != pid
        assert run.trainer() == str(told["pid"])
        pid = told["pid"]
        assert not (runs / "result").exists()  # it has not ended
    finally:
        os.kill(pid, signal.SIGTERM)
    until(lambda: run.trainer() is None)
    assert run.progress().state == "interrupted"
    assert "an LSTM of" in run.log_file.read_text()
    assert list(run.progress().steps) == list(range(1, run.progress().step + 1))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere.txt",), 1, "nowhere.txt: no such file"),
        (("TEXT", "--batch-size", "4", "--seq-length", "10", "--device", "mps"), 2, "--device: mps is not available"),
        (("TEXT", "--batch-size", "5000"), 1, "the text is too short"),
        (("--resume", "nobody"), 1, "nobody: no such run"),
    ],
)
def test_an_error_before_the_start_is_shown_and_nothing_stays(
    arguments: tuple[str, ...], code: int, words: str, runs: Path, text_file: Path
) -> None:
    given = [str(text_file) if word == "TEXT" else word for word in arguments]
    ended, out, told = finish(start("train", *given, "--detach", runs=runs))
    assert (ended, out) == (code, "")
    assert words in told
    assert told.count("\n") == 1
    assert not runs.exists() or not [path for path in runs.iterdir() if path.is_dir()]
