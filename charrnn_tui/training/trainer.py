"""Training as a stream of events (notebook cell 30), driven by whoever asks for the next one."""

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.run.budget import Budget
from charrnn_tui.run.control import Control, HandOver
from charrnn_tui.run.events import AlarmRaised, Event, RunDetached
from charrnn_tui.run.quantities import no_improvement
from charrnn_tui.run.ranks import RanksLost
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.batches import check_geometry
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.vocabulary import Ids
from charrnn_tui.training.checkpoint_store import ADVANCE_SECONDS, CheckpointStore
from charrnn_tui.training.devices import is_device_lost
from charrnn_tui.training.learner import Cancelled, Learner
from charrnn_tui.training.loss_alarms import with_alarms
from charrnn_tui.training.reporter import TrainingReporter, WriteSample
from charrnn_tui.training.requests import RequestHandler, stop_waiting
from charrnn_tui.training.resume_state import ResumeState
from charrnn_tui.training.system_load import SystemLoad

Events = Generator[Event, None, None]

PLAN_TOLERANCE = 0.01  # of the steps: a plan that differs by less from what fits into the budget stays


def train(
    settings: TrainSettings,
    corpus: Corpus,
    control: Control,
    directory: Path,
    write_sample: WriteSample | None = None,
    *,
    start: Checkpoint | None = None,
    old_ids: Ids | None = None,
    resume: ResumeState | None = None,
    detached: bool = False,
    sync_events: Callable[[], None] = lambda: None,
    on_late_event: Callable[[Event], None] = lambda event: None,
    make_learner: Callable[[TrainSettings, Corpus], Learner] = Learner,
    advance_seconds: float = ADVANCE_SECONDS,
    budget: Budget | None = None,
) -> Events:
    """Train a CharRNN and yield an event for each step; requests in `control` are served between two steps.

    Checkpoints and the resume state go into `directory`. Closing the stream early stops the training and saves it;
    steps computed ahead of the last one yielded go to `on_late_event`.

    start: the model whose weights the training starts from; its tokens come first in those of the corpus; validations
    begin with it. old_ids: of a text, (T,), that validations read, too. resume: continue from there; `settings` may
    differ in how long and how fast to train. detached: say so in the first
    event. sync_events: called before a resume state is written, to make the events up to it durable. advance_seconds:
    see `CheckpointStore`. budget: the run's clock, if it has been started already. Raises TextTooShort at once, and
    SettingsError for a device that this machine lacks when the first event is asked for.
    """
    check_geometry(len(corpus), settings.batch_size, settings.seq_length, settings.val_frac)
    spent = max(resume.spent_seconds, resume.train_seconds) if resume else 0.0
    clock = budget or Budget(settings.budget or math.inf, spent)

    def events() -> Events:
        store = CheckpointStore(directory, sync_events, settings.keep_checkpoints, advance_seconds=advance_seconds)
        with _learner(settings, corpus, make_learner) as learner:
            if start is not None:
                learner.start_from(start)
            if old_ids is not None:
                learner.watch(old_ids)
            reporter = TrainingReporter(learner, corpus, directory.name, write_sample, clock)
            training = _Training(learner, reporter, store, control)
            yield from training.events(resume, detached, on_late_event, validate_first=start is not None)

    return with_alarms(events(), directory)


@contextmanager
def _learner(
    settings: TrainSettings, corpus: Corpus, make: Callable[[TrainSettings, Corpus], Learner]
) -> Iterator[Learner]:
    if settings.ranks == 1:
        yield make(settings, corpus)
        return
    from charrnn_tui.training.launch import leading  # torch.distributed: not for one process

    with leading(settings, corpus) as learner:
        yield learner


class _Training:
    """The training loop: steps, requests, validations, saves, and its end in whatever way."""

    def __init__(self, learner: Learner, reporter: TrainingReporter, store: CheckpointStore, control: Control) -> None:
        self.learner, self.reporter, self.store = learner, reporter, store
        self.requests = RequestHandler(control, learner, reporter, self._save)
        self.stop_waiting = learner.cancelled = partial(stop_waiting, control)
        self.load = SystemLoad(learner.placement.device)
        self.good: ResumeState | None = None  # the last state whose validation loss was finite
        self.failed = ""  # the reason, once it has

    def events(
        self,
        resume: ResumeState | None,
        detached: bool,
        on_late_event: Callable[[Event], None],
        *,
        validate_first: bool,
    ) -> Events:
        learner, requests = self.learner, self.requests
        if resume is not None:
            self._restore(resume)
        try:
            yield self.reporter.started(resumed=resume is not None, detached=detached)
            # Whoever wants to leave before the first step does not wait for it to be saved.
            begun = resume is not None or not self.stop_waiting()
            if begun:
                yield from self._add_to_history()
                yield from self._save()
            if begun and validate_first and self.learner.settings.val_frac:
                yield from self._validate()
            if resume is not None and self._validation_due():  # the run ended between a step and its validation
                yield from self._validate_and_sample()
            self.reporter.budget.begin(learner.step)
            yield from self._steps()
            if not self.failed and not requests.stopping_now:
                yield from self._last_validation()
            if not self.failed and begun and not isinstance(requests.stop, HandOver):
                yield from self._add_to_history(ending=True)
            if begun or isinstance(requests.stop, HandOver):
                yield from self._save()
        except BaseException as error:  # closed early or failed: nobody reads events any more, but the run is saved
            leaving = requests.stop is not None or self.stop_waiting()
            if isinstance(error, KeyboardInterrupt | GeneratorExit) and leaving:
                raise  # after the second Ctrl-C, which is to end at once
            lost = isinstance(error, RanksLost) or is_device_lost(error)
            if learner.torn and not lost:
                raise
            if not lost:
                for done in learner.finish_queued():
                    on_late_event(done)
                self.store.save_silently(self.reporter.checkpoint(), self.reporter.state())
                raise
            yield self._lose_device(error)
        yield self._ending()

    def _restore(self, state: ResumeState) -> None:
        self.learner.restore(state)
        self.reporter.restore(state)
        self.store.rewind(state.step)

    def _ending(self) -> Event:
        stop = self.requests.stop
        if isinstance(stop, HandOver):
            return RunDetached(time=time.time(), step=self.learner.step)
        if self.failed:
            return self.reporter.finished("failed", self.failed)
        if stop:
            return self.reporter.finished(stop.state, stop.reason)
        worse = self.reporter.validated.not_improved
        return self.reporter.finished("finished", no_improvement(worse) if self._out_of_patience() else "")

    def _out_of_patience(self) -> bool:
        """Whether the training ends before its last step because the validation loss no longer improves."""
        learner, worse = self.learner, self.reporter.validated.not_improved
        return learner.step < learner.steps and worse >= (learner.settings.patience or math.inf)

    def _steps(self) -> Events:
        learner = self.learner
        while learner.step < learner.steps:
            if not learner.queued:
                yield from self.requests.serve()
                if self.requests.stop is not None or self._out_of_patience():
                    return
            until = self._next_stop() if learner.placement.steps_ahead else 0
            try:
                done = learner.learn(until)
            except Cancelled:
                continue
            yield done
            if self.load.due:
                yield self.load.sample(learner.step)
            if not np.isfinite(done.loss + done.grad_norm):
                yield self._diverge()
                return
            if learner.queued:
                continue
            if self._plan_due():
                yield from self._correct_plan()
            best_before = self.reporter.validated.best_loss
            if self._validation_due():
                yield from self._validate_and_sample()
            yield from self._add_to_history()
            if self.store.due(learner.train_seconds, best=self.reporter.validated.best_loss != best_before):
                yield from self._save()

    def _plan_due(self) -> bool:
        learner = self.learner
        return learner.settings.budget is not None and self.reporter.budget.due(learner.step, learner.steps)

    def _correct_plan(self) -> Events:
        """Plan as many steps as fit into the rest of the budget; the schedule follows."""
        learner = self.learner
        every = learner.settings.print_every
        planned = self.reporter.budget.planned_steps(
            learner.step, learner.pace.validating_seconds, learner.validation_seconds, every
        )
        if abs(planned - learner.steps) > PLAN_TOLERANCE * learner.steps:
            epochs = -(-planned // learner.steps_per_epoch)
            learner.set_plan(replace(learner.settings, epochs=epochs, max_steps=planned))
            yield self.reporter.plan_changed("budget", planned)

    def _next_stop(self) -> int:
        """The step, at the latest, after which the loop needs the model as it is then: queue none beyond it."""
        learner, step = self.learner, self.learner.step
        if self.store.due(learner.train_seconds, best=False) or self._history_due() or self._plan_due():
            return step
        every = (learner.settings.print_every, learner.steps_per_epoch)
        multiples = (step - step % period + period for period in every)
        kept = [planned for planned in learner.kept_steps if planned > step]
        return min(*multiples, *kept[:1], learner.steps, self.requests.next_step())

    def _validation_due(self) -> bool:
        step = self.learner.step
        return step > 0 and step % self.learner.settings.print_every == 0 and self.reporter.validated.step < step

    def _validate_and_sample(self) -> Events:
        """A validation and a sample; the state is remembered as good unless its loss is not finite."""
        if self.learner.settings.val_frac:
            yield from self._validate()
        elif self.reporter.writes_samples:
            yield self.reporter.sample_written()
        if not self.learner.settings.val_frac or np.isfinite(self.reporter.validated.loss or 0.0):
            self.good = deepcopy(self.reporter.state())

    def _last_validation(self) -> Events:
        if self.learner.settings.val_frac and self.learner.step > max(0, self.reporter.validated.step):
            yield from self._validate()

    def _validate(self) -> Events:
        try:
            evaluated = self.reporter.evaluated()
        except Cancelled:
            return
        yield evaluated
        if evaluated.best:
            yield from self.store.save_best(self.reporter.checkpoint(), evaluated.step, evaluated.val_loss)
        if self.reporter.writes_samples:
            yield self.reporter.sample_written()

    def _save(self, kind: str = "last") -> Events:
        """Save the training, unless it is `last` and this step is on disk."""
        if kind != "last" or self.store.saved_step != self.learner.step:
            yield from self.store.save(kind, self.reporter.checkpoint(), self.reporter.state())

    def _add_to_history(self, *, ending: bool = False) -> Events:
        if ending or self._history_due():
            learner, val_loss = self.learner, self.reporter.validated.loss
            model = self.reporter.checkpoint()
            yield from self.store.add_to_history(
                learner.step, learner.train_seconds, model, val_loss, learner.kept_steps
            )

    def _history_due(self) -> bool:
        learner = self.learner
        return self.store.history_due(learner.step, learner.kept_steps, learner.train_seconds)

    def _diverge(self) -> Event:
        """The failed step changed nothing, but the weights that led to it are no good either: go back to good ones."""
        learner = self.learner
        step, lr = learner.step + 1, learner.lr
        good = self.good or self.store.earlier_state(before=learner.step)
        if good is not None:
            self._restore(good)
            self.store.saved_step = -1  # what is on disk may be of a later step
        self.failed = (
            f"the loss or its gradient is not a number at step {step}; the model of step {learner.step} is kept; "
            f"try a smaller --lr than {lr:g}"
        )
        return AlarmRaised(time=time.time(), step=step, kind="nan", message=self.failed)

    def _lose_device(self, error: BaseException) -> Event:
        """Nothing on the device, or of the other ranks' rows, can be read any more, so nothing can be saved."""
        saved, step = self.store.saved_step, self.learner.step
        reason = (str(error) or type(error).__name__).splitlines()[0]
        kind, way = "ranks", "resume the run from there"
        if isinstance(error, RanksLost):
            self.failed = f"{reason} after step {step:,}"
        else:
            self.failed = f"the device {self.learner.placement.device} is lost after step {step:,}: {reason}"
            kind, way = "device", "resume it there, or with --device cpu"
        self.failed += f"; the state of step {saved:,} is on disk: {way}" if saved >= 0 else ""
        return AlarmRaised(time=time.time(), step=self.learner.step, kind=kind, message=self.failed)
