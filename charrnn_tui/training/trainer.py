"""Training as a stream of events (notebook cell 30): a front end that asks for the next one drives it."""

import time
from collections.abc import Callable, Generator
from copy import deepcopy
from pathlib import Path

import numpy as np

from charrnn_tui.run.control import Control, HandOver
from charrnn_tui.run.events import AlarmRaised, Event, RunDetached
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.batches import check_geometry
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.training.checkpoint_store import CheckpointStore
from charrnn_tui.training.devices import is_device_lost
from charrnn_tui.training.learner import CalledOff, Learner
from charrnn_tui.training.loss_alarms import watched
from charrnn_tui.training.reporter import TrainingReporter, WriteSample
from charrnn_tui.training.requests import Requests
from charrnn_tui.training.resume_state import ResumeState

Events = Generator[Event, None, None]


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
    before anything is built, and SettingsError, for a device that is not here, when the first event is asked for.
    """
    check_geometry(len(corpus), settings.batch_size, settings.seq_length, settings.val_frac)

    def events() -> Events:
        saver = CheckpointStore(directory, sync_events, settings.keep_checkpoints)
        records = TrainingReporter(Learner(settings, corpus), corpus, saver.run, write_sample)
        yield from _Training(records, saver, Requests(control, records, saver), resume, unheard).events(detached)

    return watched(events(), directory)


class _Training:
    """The order of things: steps, requests, looks back, savings, and the end, whatever it is."""

    def __init__(
        self,
        records: TrainingReporter,
        saver: CheckpointStore,
        requests: Requests,
        resume: ResumeState | None,
        unheard: Callable[[Event], None],
    ) -> None:
        self.learner, self.records, self.saver, self.requests = records.learner, records, saver, requests
        self.resume, self.unheard = resume, unheard
        self.good: ResumeState | None = None  # the last state that is known to be finite
        self.failed = ""

    def events(self, detached: bool) -> Events:
        learner, requests = self.learner, self.requests
        if self.resume is not None:
            self._restore(self.resume)
        try:
            yield self.records.started(resumed=self.resume is not None, detached=detached)
            yield from self._keep()
            yield from self._save()
            if self.resume is not None and self._validation_due():  # it ended between the step and its validation
                yield from self._look_back()
            yield from self._steps()
            if not self.failed and not requests.in_haste:
                yield from self._last_evaluation()
            if not self.failed and not isinstance(requests.stop, HandOver):
                yield from self._keep(ending=True)
            yield from self._save()
        except BaseException as error:  # the stream is closed early, or fails: it can tell nobody any more, but saves
            if not is_device_lost(error):
                for done in learner.settle():
                    self.unheard(done)
                self.saver.save_at_the_end(self.records)
                raise
            yield self._lose_device(error)
        yield self._ending()

    def _restore(self, state: ResumeState) -> None:
        self.records.restore(state)
        self.saver.go_on_after(state.step)

    def _ending(self) -> Event:
        stop = self.requests.stop
        if isinstance(stop, HandOver):
            return RunDetached(time=time.time(), step=self.learner.step)
        if self.failed:
            return self.records.finished("failed", self.failed)
        return self.records.finished(stop.state, stop.reason) if stop else self.records.finished("finished", "")

    def _steps(self) -> Events:
        learner = self.learner
        while learner.step < learner.steps:
            if not learner.under_way:
                yield from self.requests.serve()
                if self.requests.stop is not None:
                    return
            done = learner.learn(until=self._next_look() if learner.placement.steps_ahead else 0)
            yield done
            if not np.isfinite(done.loss + done.grad_norm):
                yield self._diverge()
                return
            if learner.under_way:
                continue
            best_before = self.records.validated.best_loss
            if self._validation_due():
                yield from self._look_back()
            yield from self._keep()
            if self.saver.due(learner.train_seconds, best=self.records.validated.best_loss != best_before):
                yield from self._save()

    def _next_look(self) -> int:
        """The step, at the latest, after which the learner's state is looked at: the learner may hurry up to there."""
        learner, step = self.learner, self.learner.step
        if self.saver.due(learner.train_seconds, best=False) or self._keep_due():
            return step
        every = (learner.settings.print_every, learner.steps_per_epoch)
        multiples = (step - step % period + period for period in every)
        to_keep = self.saver.next_to_keep(step, learner.steps, learner.steps_per_epoch)
        return min(*multiples, to_keep, learner.steps, self.requests.next_step())

    def _validation_due(self) -> bool:
        step = self.learner.step
        return step > 0 and step % self.learner.settings.print_every == 0 and self.records.validated.step < step

    def _look_back(self) -> Events:
        """A validation, and a sample; a state whose loss is a number is remembered."""
        if self.learner.settings.val_frac:
            yield from self._evaluate()
        elif self.records.writes_samples:
            yield self.records.sample_written()
        if not self.learner.settings.val_frac or np.isfinite(self.records.validated.loss or 0.0):
            self.good = deepcopy(self.records.state())

    def _last_evaluation(self) -> Events:
        if self.learner.settings.val_frac and self.learner.step > max(0, self.records.validated.step):
            yield from self._evaluate()

    def _evaluate(self) -> Events:
        try:
            evaluated = self.records.evaluated(self.requests.ending_waits)
        except CalledOff:
            return
        yield evaluated
        if evaluated.best:
            yield from self.saver.save_best(self.records.checkpoint(), evaluated.step, evaluated.val_loss)
        if self.records.writes_samples:
            yield self.records.sample_written()

    def _save(self) -> Events:
        yield from self.saver.save("last", self.records)

    def _keep(self, *, ending: bool = False) -> Events:
        """Keep the model of this step, where it is one to look back at."""
        if ending or self._keep_due():
            learner, val_loss = self.learner, self.records.validated.loss
            yield from self.saver.keep(learner.step, learner.train_seconds, self.records.checkpoint(), val_loss)

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
