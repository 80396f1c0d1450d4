"""The training of this process: a thread that drives the stream of events, which screens read from disk."""

import os
import sys
import threading
from collections.abc import Generator
from contextlib import closing
from typing import Final

from charrnn_tui.run.control import Control, Detach, Ending, Stop
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import Event

NICENESS: Final = 10  # of the training's threads: with a core for each of them the screen would wait for its turn


class ActiveRun:
    """Owned by the app, not by a screen, so that switching screens cannot end it.

    The thread never calls the UI: a terminal that stops reading stands the UI still, and must not stop the training.
    """

    def __init__(self, directory: RunDirectory, events: Generator[Event, None, None], control: Control) -> None:
        """Start training."""
        self.directory = directory
        self.control = control
        self.error: Exception | None = None
        self._events = events
        self._thread = threading.Thread(target=self._drive, name=f"train {directory.name}")
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the thread has ended: its last event is on disk."""
        return not self._thread.is_alive()

    def detach(self) -> None:
        """Ask it to go on without a screen; returns at once."""
        self.control.request(Detach())

    def stop(self, state: Ending = "stopped", reason: str = "stopped from the app") -> None:
        """Ask it to save and end; returns at once."""
        self.control.request(Stop(state, reason))

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended."""
        self._thread.join(timeout)

    def _drive(self) -> None:
        if sys.platform == "linux":  # there it holds for this thread and those that it starts, not for the process
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
        try:
            with closing(self._events) as events:
                for _ in events:
                    pass
        except Exception as error:  # whatever ends a training is shown on the screen, and is in the run's last event
            self.error = error
