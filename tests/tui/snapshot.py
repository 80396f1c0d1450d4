"""Whole screens as text, compared with the stored ones in `snapshots`."""

import difflib
import os
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Input

_DIRECTORY = Path(__file__).with_name("snapshots")
_UPDATE = "CHARRNN_UPDATE_SNAPSHOTS"
_HINT = f"If the change is meant: {_UPDATE}=1 python -m pytest tests/tui/test_screens.py"
_POLLS, _POLL_SECONDS = 500, 0.01
_UNCHANGED_POLLS = 150  # after so many the screen to be stored has come to rest: no timer of the app is slower
_EMPHASES = ("bold", "dim", "italic", "underline", "reverse", "strike")  # what a terminal without colours shows, too


async def matches_snapshot(pilot: Pilot[Any], name: str) -> None:
    """Wait until the screen is the stored one, or fail with the difference; store it instead where that is asked for.

    The size of the terminal becomes a part of the file's name.
    """
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
    size = pilot.app.size
    file = _DIRECTORY / f"{name}-{size.width}x{size.height}.txt"
    if os.environ.get(_UPDATE):
        file.write_text(await _at_rest(pilot), encoding="utf-8")
        return
    stored = file.read_text(encoding="utf-8") if file.exists() else ""
    for _ in range(_POLLS):
        if (shown := rendered(pilot.app)) == stored:
            return
        await pilot.pause(_POLL_SECONDS)
    lines = difflib.unified_diff(stored.splitlines(), shown.splitlines(), f"stored {file.name}", "shown", lineterm="")
    pytest.fail("\n".join([*lines, "", _HINT]), pytrace=False)


def rendered(app: Any) -> str:
    """All rows of the terminal, dialogs over what they cover; below them where in a row which emphasis stands."""
    # As App.export_screenshot does it, whose SVG tells less: Textual 8.2 has no public name for the strips.
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    strips = [Strip.join(pieces) for pieces in update.strips]
    emphases = [f"{row:>3} {_emphases(strip)}" for row, strip in enumerate(strips, 1) if _emphases(strip)]
    return "\n".join([*(strip.text.rstrip() for strip in strips), "-- emphasis: row, columns --", *emphases, ""])


async def _at_rest(pilot: Pilot[Any]) -> str:
    shown, unchanged = rendered(pilot.app), 0
    while unchanged < _UNCHANGED_POLLS:
        await pilot.pause(_POLL_SECONDS)
        before, shown = shown, rendered(pilot.app)
        unchanged = unchanged + 1 if shown == before else 0
    return shown


def _emphases(strip: Strip) -> str:
    """Such as `2-9 bold reverse, 30-32 bold`; columns from 1. Blanks at the end of a stretch show no bold."""
    found, column = [], 1
    for words, segments in groupby(strip, key=_emphasis):
        text = "".join(segment.text for segment in segments)
        seen = text if {"reverse", "underline", "strike"} & set(words.split()) else text.rstrip()
        found += [f"{column}-{column + cell_len(seen) - 1} {words}"] if words and seen else []
        column += cell_len(text)
    return ", ".join(found)


def _emphasis(segment: Segment) -> str:
    return " ".join(name for name in _EMPHASES if segment.style is not None and getattr(segment.style, name))
