"""Ctrl-C, SIGTERM and a terminal that goes, turned into requests that let the training save first."""

import os
import signal
from contextlib import suppress
from types import FrameType
from typing import Any, Self

from charrnn_tui.cli.options import PROGRAM
from charrnn_tui.cli.output import point_at_nothing
from charrnn_tui.run.control import Control, Detach, Stop
from charrnn_tui.run.directory import RunDirectory

_SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none


class StopSignals:
    """While inside, the first signal asks the training to save and stop; the next one ends the program as ever.

    A SIGINT that was ignored at the start, as in a shell's background job, is heard all the same: who sends one to a
    training means it. A hangup is not the end: the training goes on without the terminal, unless `on_hangup` says else.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._before: dict[int, Any] = {}
        self._terminals: list[int] = []
        self.received: int | None = None
        self.on_hangup = "continue"

    def __enter__(self) -> Self:
        self._terminals = [number for number in (0, 1, 2) if os.isatty(number)]  # asked now: a dead one is none
        for signum in _SIGNALS:
            self._before[signum] = signal.signal(signum, self._handle)
        if HANGUP is not None and signal.getsignal(HANGUP) is not signal.SIG_IGN:  # as nohup has it
            self._before[HANGUP] = signal.signal(HANGUP, self._hang_up)
        return self

    def __exit__(self, *exception: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells have it."""
        return 128 + (self.received or 0)

    def _hang_up(self, signum: int, frame: FrameType | None) -> None:
        """Nobody reads the terminal any more; files that the output goes to are kept."""
        point_at_nothing(self._terminals)
        if self.on_hangup == "continue":
            self._control.request(Detach())
        else:
            self.received = signum
            self._control.request(Stop("interrupted", "the terminal was closed"))

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        self.received = signum
        name = _SIGNALS[signal.Signals(signum)]
        self._control.request(Stop("interrupted", f"interrupted by {name}"))
        for other in _SIGNALS:
            again = signal.default_int_handler if other == signal.SIGINT else self._before[other]
            signal.signal(other, again)
        # Not through sys.stderr: a handler may come in the middle of a write to it.
        line = f"\n{PROGRAM}: {name}: saving, then stopping; once more to end at once\n"
        with suppress(OSError):  # that nobody reads any more is no reason not to save
            os.write(2, line.encode())


def on_hangup(directory: RunDirectory) -> str:
    """What this run wants done when its terminal goes."""
    return str(directory.read_settings().get("settings", {}).get("on_hangup", "continue"))
