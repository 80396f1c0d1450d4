"""The checkpoints and the resume state of a run, written within a share of the training time."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.directory import RunDirectory, RunError
from charrnn_tui.run.events import NOT_SAVED, AlarmRaised, CheckpointSaved, Event
from charrnn_tui.run.files import link_atomically
from charrnn_tui.run.kept_checkpoints import kept_file
from charrnn_tui.training.checkpoint_history import CheckpointHistory
from charrnn_tui.training.resume_state import ResumeState, read_resume_state, write_resume_state

SAVE_SHARE = 0.02  # of the training time that saving may take
LEAST_SECONDS = 5.0  # of training between two saves without a new best model
ADVANCE_SECONDS = 30.0  # of training whose share the history may use in advance: most is learned early


class CheckpointStore:
    """Writes into a run's directory.

    A full disk must not end a training: it raises an alarm, and the next save tries again.
    """

    def __init__(
        self,
        directory: Path,
        sync_events: Callable[[], None],
        keep_checkpoints: int = 0,
        *,
        advance_seconds: float = ADVANCE_SECONDS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """sync_events: makes the run's events durable; called before a resume state that follows them is written."""
        self.saved_step = -1  # of the resume state on disk
        self._directory, self._history = RunDirectory(directory), CheckpointHistory(directory, keep_checkpoints)
        self._sync_events, self._advance_seconds, self._clock = sync_events, advance_seconds, clock
        self._best_step = -1  # of the best model on disk
        self._unsaved_best: tuple[Checkpoint, int, float | None] | None = None
        self._saved_seconds = 0.0  # of training at the last save
        self._paid_off_seconds = 0.0  # of training whose share all saves have cost so far

    def due(self, train_seconds: float, *, best: bool) -> bool:
        """Whether to save now: a new best model as soon as the time budget allows, else after `LEAST_SECONDS`."""
        least = 0.0 if best else self._saved_seconds + LEAST_SECONDS
        return train_seconds >= max(self._paid_off_seconds, least)

    def save(self, kind: str, checkpoint: Checkpoint, state: ResumeState) -> Iterator[Event]:
        """Write the resume state and the last checkpoint. kind: of the event, `last` or `requested`."""
        if self._unsaved_best is not None:
            yield from self.save_best(*self._unsaved_best)
        started, file = self._clock(), self._directory.last_file
        saved = _attempt(lambda: self._write(checkpoint, state), state.step, kind, file.name, state.val_loss)
        self._saved_seconds = state.train_seconds
        self._charge(state.train_seconds, started)
        yield saved

    def save_best(self, checkpoint: Checkpoint, step: int, val_loss: float | None) -> Iterator[Event]:
        """Write the best model; if the disk refuses it, it is kept in memory for the next save."""
        self._unsaved_best = checkpoint, step, val_loss
        file = self._directory.best_file
        saved = _attempt(lambda: write_checkpoint(file, checkpoint), step, "best", file.name, val_loss)
        if isinstance(saved, CheckpointSaved):
            self._unsaved_best, self._best_step = None, step
        yield saved

    def history_due(self, step: int, planned: Sequence[int], train_seconds: float) -> bool:
        """Whether the history wants the model of this step, and the time budget allows it."""
        affordable = train_seconds >= self._paid_off_seconds - self._advance_seconds
        return affordable and self._history.due(step, planned)

    def add_to_history(
        self, step: int, train_seconds: float, checkpoint: Checkpoint, val_loss: float | None, planned: Sequence[int]
    ) -> Iterator[Event]:
        """Write this step's model into the history; if the disk refuses it, go on without it."""
        if not self._history.lacks(step):
            return
        started, file = self._clock(), kept_file(Path(), step)
        saved = _attempt(lambda: self._history.add(step, checkpoint, planned), step, "kept", file.as_posix(), val_loss)
        self._charge(train_seconds, started)
        yield saved

    def rewind(self, step: int) -> None:
        """The training continues from this step: drop models of later ones from the history."""
        self._history.rewind(step)

    def _charge(self, train_seconds: float, started: float) -> None:
        """Charge the time since `started` to the budget: so much training must pass before the next save."""
        cost = self._clock() - started
        self._paid_off_seconds = max(self._paid_off_seconds, train_seconds) + cost / SAVE_SHARE

    def save_silently(self, checkpoint: Checkpoint, state: ResumeState) -> None:
        """Write what is not on disk yet, when nobody reads events any more. Raises OSError."""
        if self._unsaved_best is not None:
            write_checkpoint(self._directory.best_file, self._unsaved_best[0])
        if self.saved_step != state.step:
            self._write(checkpoint, state)

    def _write(self, checkpoint: Checkpoint, state: ResumeState) -> None:
        self._sync_events()
        write_resume_state(self._directory.resume_file, state)
        best, last = self._directory.best_file, self._directory.last_file
        if self._best_step != state.step or not link_atomically(best, last):
            write_checkpoint(last, checkpoint)
        self.saved_step = state.step

    def earlier_state(self, before: int) -> ResumeState | None:
        """The resume state on disk if its step is before that one."""
        try:
            state = read_resume_state(self._directory.resume_file)
        except RunError:
            return None
        return state if state.step < before else None


def _attempt(write: Callable[[], None], step: int, kind: str, file: str, val_loss: float | None) -> Event:
    """Write a file of the run: the event that says so, or an alarm."""
    try:
        write()
    except OSError as error:
        message = f"{file} {NOT_SAVED}: {error.strerror or error}"
        return AlarmRaised(time=time.time(), step=step, kind="disk", message=message)
    return CheckpointSaved(time=time.time(), step=step, kind=kind, file=file, val_loss=val_loss)
