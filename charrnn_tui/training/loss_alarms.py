"""Alarms added to the events of a training: about its losses and about free disk space."""

import math
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

from charrnn_tui.run.alarms import LossWatch
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import AlarmRaised, CheckpointSaved, Evaluated, Event, PlanChanged, RunStarted, StepDone
from charrnn_tui.run.quantities import size

LEAST_FREE_BYTES = 100_000_000
SAVES_AHEAD = 5  # the disk should have room for so many more

Events = Generator[Event, None, None]


def with_alarms(
    events: Events,
    directory: Path,
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
) -> Events:
    """The events, each followed by the alarms it causes. directory: where the run is saved."""
    losses, steps, disk = LossWatch(1), 0, _DiskWatch(directory, free_bytes)
    with closing(events):
        for event in events:
            yield event
            match event:
                case RunStarted():
                    losses, steps = LossWatch(event.steps_per_epoch), event.steps
                case PlanChanged():
                    steps = event.steps
                case StepDone() if math.isfinite(event.loss):
                    yield from losses.step(event)
                case Evaluated():
                    yield from losses.validation(event, steps)
                case CheckpointSaved() if alarm := disk.alarm(event.step):
                    yield alarm


class _DiskWatch:
    """Raises one alarm when space runs low, and another only after there has been enough."""

    def __init__(self, directory: Path, free_bytes: Callable[[Path], int]) -> None:
        self._run = RunDirectory(directory)
        self._free_bytes = free_bytes
        self._raised = False

    def alarm(self, step: int) -> AlarmRaised | None:
        """The alarm after a save, if any; the saved files' sizes say what the next saves will take."""
        try:
            free = self._free_bytes(self._run.path)
            files = (self._run.resume_file, self._run.last_file, self._run.best_file)
            save = sum(file.stat().st_size for file in files if file.exists())
        except OSError:  # the directory is gone: the checkpoint store raises the alarm
            return None
        scarce = free < max(LEAST_FREE_BYTES, SAVES_AHEAD * save)
        if not scarce or self._raised:
            self._raised = scarce
            return None
        self._raised = True
        message = f"disk low: {size(free)} free for {self._run.name}, of which each save takes {size(save)}"
        return AlarmRaised(time=time.time(), step=step, kind="disk", message=f"{message}; make room")
