"""Following runs: the events of each are folded once in a process, for every screen and command that shows it."""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.events import Event
from charrnn_tui.run.progress import RunProgress

DIED: Final = "the training process exited"
HAND_OVER_SECONDS: Final = 1.0  # a run that is handed from one process to another may have no trainer for so long


class RunFollower:
    """One run's progress, kept up with its events on disk. Threads may share it."""

    def __init__(self, run: RunDirectory, clock: Callable[[], float] = time.monotonic) -> None:
        self.run = run
        self.progress = RunProgress()
        self.active: ActiveRun | None = None
        """The training, if it is this process's."""
        self._tail = EventTail(run.events_file)
        self._lock = threading.Lock()
        self._clock = clock
        self._alone_since: float | None = -math.inf  # None: it had a trainer when it was polled last

    def poll(self, most: int = -1, on_event: Callable[[Event, RunProgress], None] | None = None) -> bool:
        """Fold the events that are new, at most so many bytes (-1: all); returns whether there may be more.

        on_event: called with each of them, and the progress that holds it.
        A run that has not ended and has no trainer is interrupted: at once, or soon after it had one.
        """
        with self._lock:
            progress = self.progress
            trained = progress.ended or self._has_trainer()  # before the fold: a trainer writes, then ends
            more = self._tail.fold(progress, most, on_event)
            if trained:
                self._alone_since = None
            elif self._alone_since is None:
                self._alone_since = self._clock()
            elif not (more or progress.ended) and self._clock() - self._alone_since >= HAND_OVER_SECONDS:
                progress.state, progress.reason = "interrupted", DIED
            return more

    def _has_trainer(self) -> bool:
        return (self.active is not None and not self.active.done) or self.run.trainer() is not None


class RunFollowers:
    """One follower for each run directory."""

    def __init__(self) -> None:
        self._followers: dict[Path, RunFollower] = {}

    def of(self, run: RunDirectory) -> RunFollower:
        """The follower of a run, which has folded what was polled before."""
        return self._followers.setdefault(run.path, RunFollower(run))

    def forget(self, run: RunDirectory) -> None:
        """Call this after the directory was deleted or renamed: a new run may have its name."""
        self._followers.pop(run.path, None)
