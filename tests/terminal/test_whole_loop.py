"""What a new user does, in a real terminal, with real training."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.event_tail import EventTail
from tests.terminal.pseudo_terminal import F5, PseudoTerminal

pytestmark = [pytest.mark.terminal, pytest.mark.timeout(240)]
PROGRAM = [sys.executable, "-m", "charrnn_tui"]
TEXT = "She sells sea shells by the sea shore; the shells she sells are sea shells, I am sure.\n" * 120


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "shells.txt").write_text(TEXT)
    return tmp_path


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    return kept | {"TERM": "xterm-256color", "CHARRNN_TUI_RUNS": str(home / "runs"), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def training(home: Path, environment: dict[str, str]) -> Iterator[PseudoTerminal]:
    """The app at 80×24, a small model in training on the small text, begun from the form."""
    with PseudoTerminal([*PROGRAM, str(home / "shells.txt")], 80, 24, environment) as terminal:
        terminal.wait_for("different")  # the text has been read
        terminal.type("\t", "\t", "\t", "3", "2", "\t", "1", "\t", "4", "\t", "2", "0", "\t", "9", "9", "9")
        terminal.wait_for("1×32,")
        terminal.type(F5)
        terminal.wait_for("● training")
        terminal.wait_for(lambda screen: _step(screen) > 5)
        yield terminal


def _step(screen: str) -> int:
    """The run's step as the screen tells it; 0 before there is one."""
    match = re.search(r"run .*step ([\d,]+) of", screen)
    return int(match[1].replace(",", "")) if match else 0


def _run(home: Path) -> RunDirectory:
    return RunDirectory(home / "runs" / "shells-1")


def test_a_text_is_trained_on_watched_played_with_and_found_again(
    training: PseudoTerminal, home: Path, environment: dict[str, str]
) -> None:
    training.type(" ")
    training.wait_for("‖ paused")
    training.type("2")
    training.wait_for("shells-1 · live")
    training.wait_for(lambda screen: "chars ·" in screen)
    training.type("p")
    training.wait_for("Esc Leave field")  # the keys of the field
    training.type(*"sea shells", "\r")
    training.wait_for(lambda screen: "prime ▸" in screen and screen.count("sea shells") >= 2)
    training.type("1", " ")
    paused_at = _step(training.wait_for("● training"))
    training.wait_for(lambda screen: _step(screen) > paused_at)
    training.type("q")
    training.wait_for("save, stop and quit")
    training.type("s")
    assert training.wait_for_end() == 0
    assert b"\x1b[?1049l" in training.received  # the alternate screen is left

    listed = subprocess.run([*PROGRAM, "runs"], env=environment, capture_output=True, text=True, check=True)
    assert "shells-1" in listed.stdout
    assert "stopped" in listed.stdout
    sampled = subprocess.run(
        [*PROGRAM, "sample", "shells-1", "--prime", "sea", "--top-k", "5", "--length", "40"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert sampled.stdout.startswith("sea")
    assert len(sampled.stdout) == len("sea") + 40


def test_a_terminated_app_saves_its_training_and_restores_the_terminal(training: PseudoTerminal, home: Path) -> None:
    training.send_signal(signal.SIGTERM)
    assert training.wait_for_end() == 143
    assert b"\x1b[?1049l" in training.received
    progress = _run(home).progress()
    assert progress.state == "interrupted"
    assert read_checkpoint(_run(home).last_file).facts["step"] == progress.step


def test_a_lost_terminal_leaves_the_training_going_until_it_is_terminated(training: PseudoTerminal, home: Path) -> None:
    training.hang_up()
    tail, step = EventTail(_run(home).events_file), 0
    seen = max(event.step for event in tail.read())
    while step <= seen + 50:  # the test's own time limit ends it where nothing comes
        step = max((event.step for event in tail.read()), default=step)
        assert not training.ended()
    training.send_signal(signal.SIGTERM)
    assert training.wait_for_end() == 143
    progress = _run(home).progress()
    assert (progress.state, progress.reason) == ("interrupted", "ended by SIGTERM")
    assert read_checkpoint(_run(home).last_file).facts["step"] == progress.step


def test_the_loss_falls_before_the_eyes_of_the_user(training: PseudoTerminal) -> None:
    """The chart's own legend tells the smoothed loss; a text of so few characters is soon better than guessed."""
    training.wait_for(lambda screen: 0 < _smoothed(screen) < 2.0)


def _smoothed(screen: str) -> float:
    match = re.search(r"smooth .*?(\d+\.\d{3})", screen)
    return float(match[1]) if match else 0.0


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (140, 40), (60, 18), (20, 5), (300, 100)])
def test_the_playground_writes_at_once_at_any_size(
    columns: int, rows: int, home: Path, environment: dict[str, str]
) -> None:
    with PseudoTerminal(PROGRAM, columns, rows, environment) as terminal:
        terminal.wait_for("Anna")
        written = terminal.text
        terminal.wait_for(lambda screen: screen != written)
        terminal.type("q")
        assert terminal.wait_for_end() == 0


def test_a_terminal_too_small_is_refused_in_one_line(environment: dict[str, str]) -> None:
    with PseudoTerminal(PROGRAM, 19, 4, environment) as terminal:
        assert terminal.wait_for_end() == 2
        assert b"19" in terminal.received
        assert b"Traceback" not in terminal.received


def test_without_a_terminal_one_line_says_what_works_without(environment: dict[str, str]) -> None:
    done = subprocess.run(
        PROGRAM, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "needs a terminal" in done.stderr
    assert "Traceback" not in done.stderr
