"""Training as a stream of events (notebook cell 30): a front end that asks for the next one drives it."""

import time
from collections.abc import Callable, Generator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint
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
from charrnn_tui.run.events import (
    AlarmRaised,
    Evaluated,
    Event,
    LearningRateChanged,
    PlanChanged,
    RunDetached,
    RunPaused,
    RunResumed,
    SampleWritten,
)
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.batches import check_geometry
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.training.devices import is_device_lost
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.records import Validated, checkpoint_of, finished_event, started_event, state_of
from charrnn_tui.training.resume_state import ResumeState
from charrnn_tui.training.saver import Saver
from charrnn_tui.training.watching import watched

WriteSample = Callable[[Checkpoint, TrainSettings], tuple[str, str]]  # gives the prime and what follows it

Events = Generator[Event, None, None]

_AFTER_EPOCH = Stop("stopped", "ended after the epoch, as asked")


def train(
    settings: TrainSettings,
    corpus: Corpus,
    control: Control,
    directory: Path | None = None,
    write_sample: WriteSample | None = None,
    *,
    resume: ResumeState | None = None,
    detached: bool = False,
    sync_events: Callable[[], None] = lambda: None,
    unheard: Callable[[Event], None] = lambda event: None,
) -> Events:
    """Train a CharRNN, telling each step; requests in `control` are taken between two steps.

    Checkpoints and the resume state go into `directory`, where one is given. Whoever closes the stream early stops the
    training; it is saved even then, and steps that were done ahead of the last one told go to `unheard`. `resume`: go
    on from there, with `settings` that may differ in how long and how fast. `detached`: say so at the start.
    `sync_events` is called before a resume state is written: the events up to it must outlast it. Raises TextTooShort
    and SettingsError before anything is built.
    """
    check_geometry(len(corpus), settings.batch_size, settings.seq_length, settings.val_frac)
    saver = Saver(directory, sync_events, settings.keep_checkpoints)
    training = _Training(settings, corpus, control, saver, write_sample, resume, unheard)
    return watched(training.events(detached), directory)


class _Training:
    """One training's conversation with the outside: events, requests. The learning itself is the Learner's."""

    def __init__(
        self,
        settings: TrainSettings,
        corpus: Corpus,
        control: Control,
        saver: Saver,
        write_sample: WriteSample | None,
        resume: ResumeState | None,
        unheard: Callable[[Event], None],
    ) -> None:
        self.settings, self.corpus, self.control = settings, corpus, control
        self.saver, self.write_sample, self.resume, self.unheard = saver, write_sample, resume, unheard
        self.validated = Validated()
        self.good: ResumeState | None = None  # the last state that is known to be finite
        self.stop: Stop | HandOver | None = None
        self.end_after_epoch = False
        self.pause_at: int | None = None
        self.failed = ""

    def events(self, detached: bool) -> Events:
        self.learner = learner = Learner(self.settings, self.corpus)
        if self.resume is not None:
            self._restore(self.resume)
        try:
            yield self._started(detached)
            yield from self._keep()
            yield from self._save()
            if self.resume is not None and self._validation_due():  # it ended between the step and its validation
                yield from self._look_back()
            yield from self._steps()
            if self._ended_in_peace() and self.settings.val_frac and learner.step > max(0, self.validated.step):
                yield from self._evaluate()
            if not self.failed and not isinstance(self.stop, HandOver):
                yield from self._keep(ending=True)
            yield from self._save()
        except BaseException as error:  # the stream is closed early, or fails: it can tell nobody any more, but saves
            if not is_device_lost(error):
                for done in learner.settle():
                    self.unheard(done)
                self.saver.save_at_the_end(self._checkpoint(), self._state())
                raise
            yield self._lose_device(error)
        yield self._ending()

    def _restore(self, state: ResumeState) -> None:
        self.learner.restore(state)
        self.validated = Validated(state.val_loss, state.best_val_loss, state.evaluated_at)
        self.saver.go_on_after(state.step)

    def _ending(self) -> Event:
        if isinstance(self.stop, HandOver):
            return RunDetached(time=time.time(), step=self.learner.step)
        state, reason = (self.stop.state, self.stop.reason) if self.stop else ("finished", "")
        if self.failed:
            state, reason = "failed", self.failed
        return finished_event(self.learner, self.validated, state, reason)

    def _steps(self) -> Events:
        learner = self.learner
        while learner.step < learner.steps:
            if not learner.under_way:
                yield from self._requests()
                if self.stop is None and self.end_after_epoch and learner.step and learner.at_epoch_start:
                    self.stop = _AFTER_EPOCH
                if self.stop is not None:
                    return
            done = learner.learn(until=self._next_look() if learner.placement.steps_ahead else 0)
            yield done
            if not np.isfinite(done.loss + done.grad_norm):
                yield self._diverge()
                return
            if learner.under_way:
                continue
            best_before = self.validated.best_loss
            if self._validation_due():
                yield from self._look_back()
            yield from self._keep()
            if self.saver.due(learner.train_seconds, best=self.validated.best_loss != best_before):
                yield from self._save()

    def _next_look(self) -> int:
        """The step, at the latest, after which the learner's state is looked at: the learner may hurry up to there."""
        learner, step = self.learner, self.learner.step
        if self.control.waiting() or self.saver.due(learner.train_seconds, best=False) or self._keep_due():
            return step
        every = (self.settings.print_every, learner.steps_per_epoch)
        multiples = (step - step % period + period for period in every)
        to_keep = self.saver.next_to_keep(step, learner.steps, learner.steps_per_epoch)
        return min(*multiples, to_keep, learner.steps, learner.steps if self.pause_at is None else self.pause_at)

    def _validation_due(self) -> bool:
        step = self.learner.step
        return step > 0 and step % self.settings.print_every == 0 and self.validated.step < step

    def _look_back(self) -> Events:
        """A validation, and a sample."""
        if self.settings.val_frac:
            yield from self._evaluate()
        elif self.write_sample:
            yield self._sample()
        if not self.settings.val_frac or np.isfinite(self.validated.loss or 0.0):
            self.good = deepcopy(self._state())

    def _ended_in_peace(self) -> bool:
        """Whether there is time for a last validation: who asked to stop, or pulled the plug, is waiting."""
        return not self.failed and (self.stop is None or self.stop is _AFTER_EPOCH)

    def _requests(self) -> Events:
        """Serve what was asked for; while paused, wait here for more."""
        paused = False
        while self.stop is None:
            if not paused and self.pause_at == self.learner.step:
                request: Request | None = Pause()
            else:
                request = self.control.wait() if paused else self.control.take()
            match request:
                case None:
                    return
                case Pause():
                    self.pause_at = None
                    if not paused:
                        paused = True
                        yield from self._save()
                        yield RunPaused(time=time.time(), step=self.learner.step)
                case Resume() | RunSteps():
                    if paused:
                        paused = False
                        yield RunResumed(time=time.time(), step=self.learner.step)
                    if isinstance(request, RunSteps):
                        self.pause_at = self.learner.step + request.steps
                        yield self._plan_changed("pause", self.pause_at)
                case _:
                    yield from self._serve(request)

    def _serve(self, request: Request) -> Events:
        learner = self.learner
        match request:
            case Stop() | HandOver():
                self.stop = request
            case EndAfterEpoch():
                self.end_after_epoch = True
                epoch_end = -(-max(1, learner.step) // learner.steps_per_epoch) * learner.steps_per_epoch
                yield self._plan_changed("end after epoch", min(epoch_end, learner.steps))
            case AddEpochs(epochs):
                self.end_after_epoch = False
                self.settings = replace(self.settings, epochs=self.settings.epochs + epochs, max_steps=None)
                learner.plan(self.settings)
                yield self._plan_changed("more epochs", learner.steps)
            case SaveNow():
                yield from self._save(kind="requested")
            case Detach():
                yield from self._save()
                yield RunDetached(time=time.time(), step=learner.step)
            case SampleNow() if self.write_sample:
                yield self._sample(requested=True)
            case ShareWeights(deliver):
                deliver(self._checkpoint())
            case ScaleLearningRate(factor):
                learner.lr_factor *= factor
                yield LearningRateChanged(time=time.time(), step=learner.step, lr=learner.lr, factor=learner.lr_factor)

    def _plan_changed(self, plan: str, at_step: int) -> Event:
        learner = self.learner
        return PlanChanged(
            time=time.time(),
            step=learner.step,
            plan=plan,
            at_step=at_step,
            epochs=self.settings.epochs,
            steps=learner.steps,
        )

    def _evaluate(self) -> Events:
        learner = self.learner
        val_loss, seconds = learner.validate()
        best_before = self.validated.best_loss
        best = val_loss < (np.inf if best_before is None else best_before)  # never true of NaN
        self.validated = Validated(val_loss, val_loss if best else best_before, learner.step)
        yield Evaluated(
            time=time.time(),
            step=learner.step,
            epoch=learner.epoch,
            loss=learner.loss,
            val_loss=val_loss,
            best_val_loss=self.validated.best_loss if self.validated.best_loss is not None else val_loss,
            best=best,
            batch_size=self.settings.batch_size,
            seq_length=self.settings.seq_length,
            seconds=round(seconds, 4),
        )
        if best:
            yield from self.saver.save_best(self._checkpoint(), learner.step, val_loss)
        if self.write_sample:
            yield self._sample()

    def _sample(self, *, requested: bool = False) -> Event:
        assert self.write_sample is not None
        prime, text = self.write_sample(self._checkpoint(), self.settings)
        return SampleWritten(
            time=time.time(),
            step=self.learner.step,
            prime=prime,
            text=text,
            seed=self.settings.sample_seed,
            top_k=self.settings.sample_top_k,
            val_loss=self.validated.loss,
            requested=requested,
        )

    def _save(self, kind: str = "last") -> Events:
        yield from self.saver.save(kind, self.learner.step, self._checkpoint, self._state)

    def _keep(self, *, ending: bool = False) -> Events:
        """Keep the model of this step, where it is one to look back at."""
        learner = self.learner
        if ending or self._keep_due():
            val_loss = self.validated.loss
            yield from self.saver.keep(learner.step, learner.train_seconds, self._checkpoint(), val_loss)

    def _keep_due(self) -> bool:
        learner = self.learner
        return self.saver.keep_due(learner.step, learner.steps, learner.steps_per_epoch, learner.train_seconds)

    def _diverge(self) -> Event:
        """The step was not applied, but the weights that led to it are no good either: go back to good ones."""
        learner = self.learner
        step, lr = learner.step + 1, learner.lr
        good = self.good or self.saver.earlier_state(before=learner.step)
        if good is not None:
            self._restore(good)
            self.saver.saved_at = -1
        self.failed = (
            f"the loss or its gradient is not a number at step {step}; the model of step {learner.step} is kept; "
            f"try a smaller --lr than {lr:g}"
        )
        return AlarmRaised(time=time.time(), step=step, kind="nan", message=self.failed)

    def _lose_device(self, error: BaseException) -> Event:
        """Nothing on it can be read any more, so nothing can be saved."""
        saved = self.saver.saved_at
        kept = f"the state of step {saved:,} is on disk: resume it there, or with --device cpu" if saved >= 0 else ""
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        self.failed = f"the device {self.learner.placement.device} is lost after step {self.learner.step:,}: {reason}"
        self.failed += f"; {kept}" if kept else ""
        return AlarmRaised(time=time.time(), step=self.learner.step, kind="device", message=self.failed)

    def _started(self, detached: bool) -> Event:
        return started_event(
            self.corpus, self.learner, self.saver.run, resumed=self.resume is not None, detached=detached
        )

    def _checkpoint(self) -> Checkpoint:
        return checkpoint_of(self.corpus, self.learner, self.validated, self.saver.run)

    def _state(self) -> ResumeState:
        return state_of(self.corpus, self.learner, self.validated)
