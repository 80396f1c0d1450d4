"""Waiting for the app, and reading its screen."""

from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

from tests.playground.scripted_backend import Clock


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
