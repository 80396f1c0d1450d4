"""What is asked of a training between two steps: pauses, plans, savings, samples, weights, its end."""

import time
from collections.abc import Generator
from dataclasses import replace

from charrnn_tui.run.control import (
    AddEpochs,
    Control,
    Detach,
    EndAfterEpoch,
    HandOver,
    Pause,
    Request,
    Resume,
    RunSteps,
    SampleNow,
    SaveNow,
    ScaleLearningRate,
    ShareWeights,
    Stop,
)
from charrnn_tui.run.events import Event, RunDetached, RunPaused, RunResumed
from charrnn_tui.training.checkpoint_store import CheckpointStore
from charrnn_tui.training.reporter import TrainingReporter

Events = Generator[Event, None, None]

_AFTER_EPOCH = Stop("stopped", "ended after the epoch, as asked")


class Requests:
    """Takes requests out of a control and serves them. `stop`: why the training is to end now."""

    def __init__(self, control: Control, records: TrainingReporter, saver: CheckpointStore) -> None:
        self.stop: Stop | HandOver | None = None
        self._control, self._records, self._saver = control, records, saver
        self._learner = records.learner
        self._end_after_epoch = False
        self._pause_at: int | None = None

    @property
    def in_haste(self) -> bool:
        """Whether who asked to stop, or pulled the plug, is waiting."""
        return self.stop is not None and self.stop is not _AFTER_EPOCH

    def ending_waits(self) -> bool:
        """Whether somebody who asked to stop, or to have the run, is waiting by now."""
        return any(isinstance(request, Stop | HandOver) for request in self._control.waiting())

    def next_step(self) -> int:
        """The step, at the latest, after which there is something to serve."""
        if self._control.waiting():
            return self._learner.step
        return self._learner.steps if self._pause_at is None else self._pause_at

    def serve(self) -> Events:
        """Serve what was asked for; while paused, wait here for more."""
        paused = False
        while self.stop is None:
            if not paused and self._pause_at == self._learner.step:
                request: Request | None = Pause()
            else:
                request = self._control.wait() if paused else self._control.take()
            match request:
                case None:
                    break
                case Pause():
                    self._pause_at = None
                    if not paused:
                        paused = True
                        yield from self._saver.save("last", self._records)
                        yield RunPaused(time=time.time(), step=self._learner.step)
                case Resume() | RunSteps():
                    if paused:
                        paused = False
                        yield RunResumed(time=time.time(), step=self._learner.step)
                    if isinstance(request, RunSteps):
                        self._pause_at = self._learner.step + request.steps
                        yield self._records.plan_changed("pause", self._pause_at)
                case _:
                    yield from self._serve(request)
        if self.stop is None and self._end_after_epoch and self._learner.step and self._learner.at_epoch_start:
            self.stop = _AFTER_EPOCH

    def _serve(self, request: Request) -> Events:
        learner, records = self._learner, self._records
        match request:
            case Stop() | HandOver():
                self.stop = request
            case EndAfterEpoch():
                self._end_after_epoch = True
                epoch_end = -(-max(1, learner.step) // learner.steps_per_epoch) * learner.steps_per_epoch
                yield records.plan_changed("end after epoch", min(epoch_end, learner.steps))
            case AddEpochs(epochs):
                self._end_after_epoch = False
                learner.plan(replace(learner.settings, epochs=learner.settings.epochs + epochs, max_steps=None))
                yield records.plan_changed("more epochs", learner.steps)
            case SaveNow():
                yield from self._saver.save("requested", records)
            case Detach():
                yield from self._saver.save("last", records)
                yield RunDetached(time=time.time(), step=learner.step)
            case SampleNow() if records.writes_samples:
                yield records.sample_written(requested=True)
            case ShareWeights(deliver):
                deliver(records.checkpoint())
            case ScaleLearningRate(factor):
                learner.lr_factor *= factor
                yield records.learning_rate_changed()
