"""Requests to a training, served between two steps: pauses, plans, saves, samples, weights, its end."""

import time
from collections.abc import Callable, Generator
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
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.reporter import TrainingReporter

Events = Generator[Event, None, None]

_AFTER_EPOCH = Stop("stopped", "ended after the epoch, as asked")


def stop_waiting(control: Control) -> bool:
    """Whether a request to stop, or to hand the run over, has come in and is not served yet."""
    return any(isinstance(request, Stop | HandOver) for request in control.waiting())


class RequestHandler:
    """Takes requests out of a control and serves them. `stop`: why the training is to end now, if it is."""

    def __init__(
        self, control: Control, learner: Learner, reporter: TrainingReporter, save: Callable[[str], Events]
    ) -> None:
        """save: saves the training; its argument is the kind of the CheckpointSaved event."""
        self.stop: Stop | HandOver | None = None
        self._control, self._learner, self._reporter, self._save = control, learner, reporter, save
        self._end_after_epoch = False
        self._pause_at: int | None = None

    @property
    def stopping_now(self) -> bool:
        """Whether the training ends in mid-epoch because somebody asked for it."""
        return self.stop is not None and self.stop is not _AFTER_EPOCH

    def next_step(self) -> int:
        """The step, at the latest, after which there is something to serve."""
        if self._control.waiting():
            return self._learner.step
        return self._learner.steps if self._pause_at is None else self._pause_at

    def serve(self) -> Events:
        """Serve all requests; while paused, wait for more."""
        paused = False
        while self.stop is None:
            if not paused and self._pause_at == self._learner.step:
                request: Request | None = Pause()
            else:
                request = self._wait() if paused else self._control.take()
            match request:
                case None:
                    break
                case Pause():
                    self._pause_at = None
                    if not paused:
                        paused = True
                        yield from self._save("last")
                        yield RunPaused(time=time.time(), step=self._learner.step)
                case Resume() | RunSteps():
                    if paused:
                        paused = False
                        yield RunResumed(time=time.time(), step=self._learner.step)
                    if isinstance(request, RunSteps):
                        self._pause_at = self._learner.step + request.steps
                        yield self._reporter.plan_changed("pause", self._pause_at)
                case _:
                    yield from self._serve(request)
        if self.stop is None and self._end_after_epoch and self._learner.step and self._learner.at_epoch_start:
            self.stop = _AFTER_EPOCH

    def _wait(self) -> Request:
        """The next request, waited for in a pause."""
        budget = self._reporter.budget
        spent = budget.spent_seconds
        request = self._control.wait()
        budget.exclude(budget.spent_seconds - spent)
        return request

    def _serve(self, request: Request) -> Events:
        learner, reporter = self._learner, self._reporter
        match request:
            case Stop() | HandOver():
                self.stop = request
            case EndAfterEpoch():
                self._end_after_epoch = True
                epoch_end = -(-max(1, learner.step) // learner.steps_per_epoch) * learner.steps_per_epoch
                yield reporter.plan_changed("end after epoch", min(epoch_end, learner.steps))
            case AddEpochs(epochs):
                self._end_after_epoch = False
                more = learner.settings.epochs + epochs
                learner.set_plan(replace(learner.settings, epochs=more, max_steps=None, budget=None))
                yield reporter.plan_changed("more epochs", learner.steps)
            case SaveNow():
                yield from self._save("requested")
            case Detach():
                yield from self._save("last")
                yield RunDetached(time=time.time(), step=learner.step)
            case SampleNow() if reporter.writes_samples:
                yield reporter.sample_written(requested=True)
            case ShareWeights(deliver):
                deliver(reporter.checkpoint())
            case ScaleLearningRate(factor):
                learner.lr_factor *= factor
                yield reporter.learning_rate_changed()
