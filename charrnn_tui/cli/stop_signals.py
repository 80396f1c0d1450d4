"""Ctrl-C, SIGTERM and the loss of the terminal become requests to the training, which saves before it stops."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

from charrnn_tui.cli.options import PROGRAM
from charrnn_tui.cli.output import point_at_nothing
from charrnn_tui.run.control import Control, Detach, Stop
from charrnn_tui.run.directory import RunDirectory

_SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none


@dataclass
class Stopping:
    """received: the signal that ends the training. on_hangup: what to do when the terminal is lost."""

    received: int | None = None
    on_hangup: str = "continue"


@contextmanager
def stop_signals(control: Control) -> Iterator[Stopping]:
    """While inside, the first signal asks the training to save and stop; the next one ends the program at once.

    SIGINT is handled also where a shell has it ignored, as in a background job. After SIGHUP the training continues
    without the terminal, unless `on_hangup` says otherwise.
    """
    stopping, before = Stopping(), dict[int, Any]()
    terminals = [number for number in (0, 1, 2) if os.isatty(number)]  # asked now: a lost one is no terminal any more

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.received = signum
        name = _SIGNALS[signal.Signals(signum)]
        control.request(Stop("interrupted", f"interrupted by {name}"))
        for other in _SIGNALS:
            signal.signal(other, signal.default_int_handler if other == signal.SIGINT else before[other])
        # Not through sys.stderr: a handler may come in the middle of a write to it.
        line = f"\n{PROGRAM}: {name}: saving, then stopping; once more to end at once\n"
        with suppress(OSError):  # without a reader the training is saved all the same
            os.write(2, line.encode())

    def hang_up(signum: int, frame: FrameType | None) -> None:
        point_at_nothing(terminals)  # not output that goes to a file
        if stopping.on_hangup == "continue":
            control.request(Detach())
        else:
            stopping.received = signum
            control.request(Stop("interrupted", "the terminal was closed"))

    for signum in _SIGNALS:
        before[signum] = signal.signal(signum, stop)
    if HANGUP is not None and signal.getsignal(HANGUP) is not signal.SIG_IGN:  # as nohup has it
        before[HANGUP] = signal.signal(HANGUP, hang_up)
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def on_hangup(directory: RunDirectory) -> str:
    """The setting `on_hangup` of a run: what to do when its terminal is lost."""
    return str(directory.read_settings().get("settings", {}).get("on_hangup", "continue"))
