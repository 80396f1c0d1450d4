"""Random keys, pressed faster than a person could while a training runs, never end the app."""

import os
import random
import signal
import sys
from pathlib import Path

import pytest

from tests.terminal.pseudo_terminal import PseudoTerminal

pytestmark = [pytest.mark.slow, pytest.mark.terminal, pytest.mark.timeout(600)]
SMALL = ("--n-hidden", "32", "--n-layers", "1", "--batch-size", "8", "--seq-length", "20", "--epochs", "100000")
SIZES = [(80, 24), (140, 40), (60, 18)]
KEYS = 800

ARROWS, PAGES = ("\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[1;5C"), ("\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F")
EDITING = ("\r", "\t", "\x1b[Z", "\x7f", "\x1b[3~", "\x01", "\x05", "\x0b", "\x15", "\x17")
FUNCTIONS = ("\x1bOP", "\x1bOQ", "\x1bOR", "\x1b[15~", "\x1b[17~", "\x10", ":", "?", "1", "2", "3", "|", "m", "o", "t")
MOUSE = ("\x1b[<0;20;10M", "\x1b[<0;20;10m", "\x1b[<0;50;5M", "\x1b[<64;10;10M", "\x1b[<65;10;10M")
PASTE = ("\x1b[200~pasted\x1b]0;x\x07 \u202e\u4e00\n\x1b[201~",)
LETTERS = tuple("aceEfghijklnprRsSwvyYPbMLT*/+-=0[]{}<>.,;GuUzZXdNxé ")  # without those that quit or detach
GROUPS = (("\x1b",), ARROWS, PAGES, EDITING, FUNCTIONS, MOUSE, PASTE, LETTERS, LETTERS)


@pytest.mark.parametrize("seed", range(10))
def test_random_keys_never_end_the_app(seed: int, tmp_path: Path) -> None:
    dice, (columns, rows) = random.Random(seed), SIZES[seed % len(SIZES)]
    text, runs = tmp_path / "shells.txt", tmp_path / "runs"
    text.write_text("She sells sea shells by the sea shore.\n" * 200)
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    kept |= {"TERM": "xterm-256color", "CHARRNN_TUI_RUNS": str(runs), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "charrnn_tui", "train", str(text), *SMALL, "--app"]
    with PseudoTerminal(command, columns, rows, kept) as terminal:
        terminal.wait_for("shells")
        for _ in range(KEYS):
            terminal.type(dice.choice(dice.choice(GROUPS)), seconds=0.005)
            assert not terminal.ended(), terminal.text
        before = len(terminal.received)
        terminal.resize(columns, rows - 1)
        terminal.wait_for(lambda _: len(terminal.received) > before)
        terminal.send_signal(signal.SIGTERM)
        assert terminal.wait_for_end() == 128 + signal.SIGTERM
    assert "Traceback" not in (runs / "log.txt").read_text(errors="replace")
