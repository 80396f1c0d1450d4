"""Waiting for the app, and reading its screen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

import charrnn_tui.tui
from tests.playground.scripted_backend import Clock

STYLES = Path(charrnn_tui.tui.__file__).with_name("app.tcss")  # of the app, for tests that show a part of it alone


async def until(pilot: Pilot[None], condition: Callable[[], object], clock: Clock | None = None) -> None:
    """Let the app work, and the clock go on, until the condition holds."""
    for _ in range(1000):
        if condition():
            return
        if clock is not None:
            clock.now += 0.05
        await pilot.pause(0.005)
    raise AssertionError("this never came to hold")


def screen_text(app: Any) -> str:
    """What the terminal would show."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def shows(pilot: Pilot[Any], *words: str) -> None:
    """Let the app work until all the words stand on its screen."""
    await until(pilot, lambda: all(word in screen_text(pilot.app) for word in words))
