"""Leaving a training and coming back to it, in real terminals."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from charrnn_tui.run.directory import RunDirectory
from tests.terminal.pseudo_terminal import PATIENCE_SECONDS, PseudoTerminal

pytestmark = [pytest.mark.terminal, pytest.mark.timeout(300)]
PROGRAM = [sys.executable, "-m", "charrnn_tui"]
SMALL = ("--n-hidden", "32", "--n-layers", "1", "--batch-size", "8", "--seq-length", "20", "--epochs", "100000")


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "this never came to hold"
        time.sleep(0.02)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "shells.txt").write_text("She sells sea shells by the sea shore.\n" * 200)
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    return kept | {"TERM": "xterm-256color", "CHARRNN_TUI_RUNS": str(tmp_path / "runs"), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    """Where the training is; its trainer, wherever that went, is ended with the test."""
    run = RunDirectory(tmp_path / "runs" / "away")
    yield run
    trainer = run.trainer()
    if trainer is not None and int(trainer) != os.getpid():
        os.kill(int(trainer), signal.SIGTERM)
        until(lambda: run.trainer() is None)


JOB = ["sh", "-c", 'set -m; "$@" & wait $!; echo "exit code $?"', "sh", *PROGRAM]  # as a shell does with &


def test_the_app_is_not_drawn_by_a_background_job(environment: dict[str, str]) -> None:
    with PseudoTerminal(JOB, 100, 30, environment) as terminal:
        assert terminal.wait_for_end() == 0
        assert terminal.lines[0].startswith("charrnn-tui: the app needs the terminal's foreground")
        assert "exit code 2" in terminal.text
        assert b"\x1b" not in terminal.received


def test_a_training_in_the_background_writes_lines_and_draws_no_bar(
    tmp_path: Path, environment: dict[str, str], run: RunDirectory
) -> None:
    training = ["train", str(tmp_path / "shells.txt"), *SMALL, "--name", "away", "--max-steps", "20"]
    with PseudoTerminal([*JOB, *training, "--print-every", "10"], 100, 30, environment) as terminal:
        terminal.wait_for("exit code 0")
        assert b"step 10/20" in terminal.received
        assert "━" not in terminal.text
    assert run.progress().state == "finished"


def test_a_training_is_left_come_back_to_and_steered_from_elsewhere(
    tmp_path: Path, environment: dict[str, str], run: RunDirectory
) -> None:
    text = str(tmp_path / "shells.txt")
    with PseudoTerminal([*PROGRAM, "train", text, *SMALL, "--name", "away", "--app"], 100, 30, environment) as terminal:
        terminal.wait_for("● training")
        until_steps = run.progress().step + 5
        terminal.wait_for(lambda _: run.progress().step > until_steps)
        own = run.trainer()
        terminal.type("D")
        assert terminal.wait_for_end() == 0
        assert b"away trains on without this terminal" in terminal.received
        assert b"come back with: charrnn-tui watch away" in terminal.received
    assert run.trainer() not in (None, own)
    progress = run.progress()
    assert progress.state == "detached"
    assert list(progress.steps) == list(range(1, len(progress.steps) + 1))

    with PseudoTerminal([*PROGRAM, "watch", "away"], 100, 30, environment) as terminal:
        terminal.wait_for("● training, detached")
        terminal.type(" ")
        terminal.wait_for("‖ paused")
        assert run.progress().state == "paused"
        terminal.type(" ")
        until(lambda: run.progress().state == "detached")
        terminal.type("\x03")
        before = run.progress().step
        until(lambda: run.progress().step > before)
        terminal.type("q")
        assert terminal.wait_for_end() == 0
    assert run.trainer() is not None

    with PseudoTerminal([*PROGRAM, "watch", "away", "--read-only"], 100, 30, environment) as terminal:
        screen = terminal.wait_for("● training, detached")
        assert "Pause" not in screen
        terminal.type(" ", "E")
        before = run.progress().step
        until(lambda: run.progress().step > before)
        assert run.progress().state == "detached"
        terminal.send_signal(signal.SIGINT)
        terminal.wait_for_end()
    assert run.trainer() is not None
