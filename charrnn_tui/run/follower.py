"""Following runs: the events of each are folded once in a process, for all who show or watch it."""

import threading
from pathlib import Path
from typing import Final

from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.progress import RunProgress

DIED: Final = "the training process exited"
POLLS_WITHOUT_TRAINER: Final = 1  # a run that is handed from one process to another has no trainer for a moment


class RunFollower:
    """One run's progress, kept up with its events on disk. Threads may share it."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self.progress = RunProgress()
        self.active: ActiveRun | None = None
        """The training, if it is this process's."""
        self._tail = EventTail(run.events_file)
        self._lock = threading.Lock()
        self._without_trainer = 0  # polls in a row

    def poll(self, most: int = -1, *, patience: int = 0) -> bool:
        """Fold the events that are new, at most so many bytes (-1: all); gives whether there may be more.

        A run that has not ended and has no trainer is interrupted. patience: so many polls in a row it may have none,
        as one that is handed from one process to another has for a moment.
        """
        with self._lock:
            progress = self.progress
            trained = progress.ended or self._has_trainer()  # before the fold: a trainer writes, then ends
            before = progress.updated
            more = self._tail.fold(progress, most)
            alive = trained or progress.ended or more or (patience and progress.updated != before)
            self._without_trainer = 0 if alive else self._without_trainer + 1
            if self._without_trainer > patience:
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
