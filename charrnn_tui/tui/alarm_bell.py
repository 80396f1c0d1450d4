"""Alarms of the run that is followed, as they come: a bell, the terminal's title, a toast."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from textual.app import App
from textual.notifications import SeverityLevel

if TYPE_CHECKING:
    from charrnn_tui.run.events import AlarmRaised
    from charrnn_tui.run.progress import RunProgress

KEEP_TITLE, GIVE_TITLE_BACK = "\x1b[22;2t", "\x1b[23;2t"  # xterm's stack of titles; others pass them over
SERIOUS = ("nan", "device", "disk")
TOAST_SECONDS = 10.0
_UNTITLED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Listener(Protocol):
    """Who rings and shows."""

    def tell_alarm(self, name: str, alarm: AlarmRaised) -> None:
        """Tell a person, of this run."""


class AlarmTeller:
    """Tells by a bell, a toast, and the terminal's title, which tells it in a list of windows too."""

    def __init__(self, app: App[Any], write: Callable[[str], None]) -> None:
        """write: sequences, to the terminal."""
        self._app, self.write = app, write
        self._retitled = False

    def tell_alarm(self, name: str, alarm: AlarmRaised) -> None:
        self._app.bell()
        severity: SeverityLevel = "error" if alarm.kind in SERIOUS else "warning"
        self._app.notify(
            alarm.message, title=f"{name}: {alarm.kind}", severity=severity, timeout=TOAST_SECONDS, markup=False
        )
        self.write(("" if self._retitled else KEEP_TITLE) + title_sequence(f"! {name}: {alarm.kind}"))
        self._retitled = True

    def give_title_back(self) -> None:
        """The terminal's own, where it has been changed."""
        if self._retitled:
            self._retitled = False
            self.write(GIVE_TITLE_BACK)


class AlarmBell:
    """Each alarm rings once; those of a run's past have rung for somebody else."""

    def __init__(self) -> None:
        self._since = time.time()
        self._heard: set[tuple[str, float, str]] = set()

    def hear(self, name: str, progress: RunProgress, listener: Listener) -> None:
        """Tell of the new alarms in a progress."""
        for alarm in progress.alarms:
            key = (name, alarm.time, alarm.kind)
            if alarm.time >= self._since and key not in self._heard:
                self._heard.add(key)
                listener.tell_alarm(name, alarm)


def title_sequence(words: str) -> str:
    """What sets a terminal's title; what would end it early, or steer the terminal, is left out."""
    return f"\x1b]2;{_UNTITLED.sub('', words)[:120]}\x07"
