"""What a training leaves on disk: the best model, the last one, and the state that it can be resumed from."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.directory import RunDirectory, RunError
from charrnn_tui.run.events import AlarmRaised, CheckpointSaved, Event
from charrnn_tui.training.checkpoint_history import CheckpointHistory
from charrnn_tui.training.reporter import TrainingReporter
from charrnn_tui.training.resume_state import ResumeState, read_resume_state, write_resume_state

SAVE_SHARE = 0.02  # saving may take this share of the training time
LEAST_SECONDS = 5.0  # between two savings that only time has made due
ADVANCE_SECONDS = 30.0  # of training, whose share a model to keep may use up before it is done: most is learned early


class CheckpointStore:
    """Writes into a run's directory; without one, nowhere.

    A full disk must not end a training: it raises an alarm, and the next saving tries again.
    """

    def __init__(self, directory: Path | None, sync_events: Callable[[], None], keep_checkpoints: int = 0) -> None:
        self.run = directory.name if directory is not None else None
        self.saved_at = -1
        self._directory = RunDirectory(directory) if directory is not None else None
        self._sync_events = sync_events
        self._unsaved_best: tuple[Checkpoint, int, float | None] | None = None
        self._kept = CheckpointHistory(directory, keep_checkpoints) if directory is not None else None
        self._saved_seconds = 0.0  # of training
        self._paid_off_at = 0.0  # seconds of training whose share is what saving has cost so far

    def due(self, train_seconds: float, *, best: bool) -> bool:
        """Whether to save now. A new best is saved as soon as the budget allows, else at the next occasion."""
        least = 0.0 if best else self._saved_seconds + LEAST_SECONDS
        return self._directory is not None and train_seconds >= max(self._paid_off_at, least)

    def save(self, kind: str, records: TrainingReporter) -> Iterator[Event]:
        """Write the resume state and the last checkpoint, where they are not on disk already or were asked for."""
        if self._directory is None or (kind == "last" and self.saved_at == records.learner.step):
            return
        if self._unsaved_best is not None:
            yield from self.save_best(*self._unsaved_best)
        now, started = records.state(), time.perf_counter()
        problem = None
        file = self._directory.last_file
        try:
            self._write(records.checkpoint(), now)
        except OSError as error:
            problem = f"{file.name} could not be saved: {error.strerror or error}"
        self._saved_seconds = now.train_seconds
        self._charge(now.train_seconds, started)
        if problem is not None:
            yield AlarmRaised(time=time.time(), step=now.step, kind="disk", message=problem)
        else:
            yield CheckpointSaved(time=time.time(), step=now.step, kind=kind, file=file.name, val_loss=now.val_loss)

    def save_best(self, checkpoint: Checkpoint, step: int, val_loss: float | None) -> Iterator[Event]:
        """Write the best model; kept in memory until the disk takes it."""
        if self._directory is None:
            return
        self._unsaved_best = checkpoint, step, val_loss
        file = self._directory.best_file
        try:
            write_checkpoint(file, checkpoint)
        except OSError as error:
            message = f"{file.name} could not be saved: {error.strerror or error}"
            yield AlarmRaised(time=time.time(), step=step, kind="disk", message=message)
        else:
            self._unsaved_best = None
            yield CheckpointSaved(time=time.time(), step=step, kind="best", file=file.name, val_loss=val_loss)

    def keep_due(self, step: int, steps: int, steps_per_epoch: int, train_seconds: float) -> bool:
        """Whether the model of this step is one to keep, and the budget allows it."""
        affordable = train_seconds >= self._paid_off_at - ADVANCE_SECONDS
        return self._kept is not None and self._kept.due(step, steps, steps_per_epoch) and affordable

    def next_to_keep(self, step: int, steps: int, steps_per_epoch: int) -> int:
        """The next step whose model is one to keep, at most the training's last."""
        return self._kept.next_after(step, steps, steps_per_epoch) if self._kept is not None else steps

    def keep(self, step: int, train_seconds: float, checkpoint: Checkpoint, val_loss: float | None) -> Iterator[Event]:
        """Keep this model; where the disk does not take it, go without it."""
        if self._kept is None or not self._kept.lacks(step):
            return
        started = time.perf_counter()
        event: Event
        try:
            name = self._kept.keep(step, checkpoint)
            event = CheckpointSaved(time=time.time(), step=step, kind="kept", file=name, val_loss=val_loss)
        except OSError as error:
            message = f"the checkpoint of step {step:,} could not be kept: {error.strerror or error}"
            event = AlarmRaised(time=time.time(), step=step, kind="disk", message=message)
        self._charge(train_seconds, started)
        yield event

    def go_on_after(self, step: int) -> None:
        """The training goes on from this step: what was kept of later ones is void."""
        if self._kept is not None:
            self._kept.go_on_after(step)

    def _charge(self, train_seconds: float, started: float) -> None:
        """Saving began then, and is done: some training must pass before the next."""
        cost = time.perf_counter() - started
        self._paid_off_at = max(self._paid_off_at, train_seconds) + cost / SAVE_SHARE

    def save_at_the_end(self, records: TrainingReporter) -> None:
        """Write what is not on disk yet; nobody hears events any more. Raises OSError."""
        if self._directory is None:
            return
        if self._unsaved_best is not None:
            write_checkpoint(self._directory.best_file, self._unsaved_best[0])
        if self.saved_at != records.learner.step:
            self._write(records.checkpoint(), records.state())

    def _write(self, checkpoint: Checkpoint, state: ResumeState) -> None:
        assert self._directory is not None
        self._sync_events()
        write_resume_state(self._directory.resume_file, state)
        write_checkpoint(self._directory.last_file, checkpoint)
        self.saved_at = state.step

    def earlier_state(self, before: int) -> ResumeState | None:
        """The state on disk, where it is of a step before that one."""
        if self._directory is None:
            return None
        try:
            state = read_resume_state(self._directory.resume_file)
        except RunError:
            return None
        return state if state.step < before else None
