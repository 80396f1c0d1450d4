"""The terminal before Textual starts: a check of it, and a first frame while the app's modules are imported."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from charrnn_tui.cli.output import TERMINAL, is_dumb, is_terminal, may_draw

LEAST_COLUMNS, LEAST_ROWS = 20, 5
_ALTERNATE_SCREEN, _MAIN_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[?1049l\x1b[?25h"
_WAITING = "opening …  what you type meanwhile is not lost"


def check_terminal() -> None:
    """Raise UsageError if there is no terminal, if it is too small, or if this is a background job."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise click.UsageError(
            "the app needs a terminal for input and output; without one there are "
            "`charrnn-tui play --plain`, `train`, `sample`, `score` and `watch --plain`"
        )
    if is_dumb():
        raise click.UsageError(
            "TERM=dumb cannot show the app; `charrnn-tui play --plain`, `train` and `watch --plain` work with it"
        )
    if not may_draw(sys.stdout):
        raise click.UsageError(
            "the app needs the terminal's foreground, and this is a background job: start it without &"
        )
    columns, rows = shutil.get_terminal_size()
    if columns < LEAST_COLUMNS or rows < LEAST_ROWS:
        raise click.UsageError(f"the terminal is {columns}×{rows}; the app needs at least {LEAST_COLUMNS}×{LEAST_ROWS}")


@contextmanager
def first_frame() -> Iterator[None]:
    """Show a first frame, which Textual draws over; restore the terminal if an error comes before that."""
    if os.name != "posix":  # a console there may print escape sequences instead of following them
        yield
        return
    columns, rows = shutil.get_terminal_size()
    lines = {1: " charrnn-tui   1 Train   2 Play   3 Runs", rows // 2: f" {_WAITING}", rows: " ? help   q quit"}
    _write(_ALTERNATE_SCREEN + "".join(f"\x1b[{row};1H{line[:columns]}" for row, line in lines.items()))
    try:
        yield
    except BaseException:
        _write(_MAIN_SCREEN)
        raise


def _write(sequence: str) -> None:
    sys.stdout.flush()
    os.write(sys.stdout.fileno(), TERMINAL.shown(sequence).encode(TERMINAL.encoding, "replace"))
