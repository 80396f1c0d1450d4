"""The progress of a run, computed from its events."""

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from charrnn_tui.run.decoding import finite_or_null
from charrnn_tui.run.events import (
    NOT_SAVED,
    AlarmRaised,
    CheckpointSaved,
    Evaluated,
    Event,
    LearningRateChanged,
    PlanChanged,
    RunDetached,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    SampleWritten,
    StepDone,
    SystemSampled,
)
from charrnn_tui.run.machine_share import MachineShare, machine_share
from charrnn_tui.run.quantities import bits, bits_per_byte


@dataclass
class RunProgress:
    """The state of a run and its curves, up to the last event added.

    state: preparing, training, detached (in training without a terminal), paused, finished, stopped, interrupted or
    failed; whether the trainer still lives is not in the events. Losses in nats/char. The curves are arrays of equal
    length, one entry per step or validation; speeds in chars/s. version: grows with every event; a drawing is redrawn
    if it differs.
    """

    state: str = "preparing"
    reason: str = ""
    started: RunStarted | None = None
    last_step: StepDone | None = None
    evaluations: list[Evaluated] = field(default_factory=list)
    step: int = 0
    updated: float = 0.0
    # In quotes: before Python 3.12 an array type takes no parameter at run time.
    steps: "array[int]" = field(default_factory=lambda: array("q"))
    losses: "array[float]" = field(default_factory=lambda: array("d"))
    grad_norms: "array[float]" = field(default_factory=lambda: array("d"))
    learning_rates: "array[float]" = field(default_factory=lambda: array("d"))
    speeds: "array[float]" = field(default_factory=lambda: array("d"))
    val_steps: "array[int]" = field(default_factory=lambda: array("q"))
    val_losses: "array[float]" = field(default_factory=lambda: array("d"))
    samples: list[SampleWritten] = field(default_factory=list)
    system: list[SystemSampled] = field(default_factory=list)
    ticks: list[tuple[int, str]] = field(default_factory=list)
    alarms: list[AlarmRaised] = field(default_factory=list)
    saved: CheckpointSaved | None = None
    ending: RunFinished | None = None
    detached: bool = False
    version: int = field(default=0, compare=False, repr=False)

    def add(self, event: Event) -> None:
        """Fold one event."""
        self.version += 1
        self.updated = event.time
        self.step = max(self.step, event.step)
        match event:
            case StepDone():
                self._take_back(event.step)
                self.last_step = event
                self.steps.append(event.step)
                self.losses.append(event.loss)
                self.grad_norms.append(event.grad_norm)
                self.learning_rates.append(event.lr)
                self.speeds.append(event.chars_per_second)
            case Evaluated() if not self.val_steps or event.step > self.val_steps[-1]:
                self.evaluations.append(event)
                self.val_steps.append(event.step)
                self.val_losses.append(event.val_loss)
            case RunStarted():
                self._start(event)
            case RunPaused():
                self.state = "paused"
                self.ticks.append((event.step, "paused"))
            case RunResumed():
                self.state = "detached" if self.detached else "training"
                self.ticks.append((event.step, "goes on"))
            case RunDetached():
                self.detached = True
                self.state = "paused" if self.state == "paused" else "detached"
                self.ticks.append((event.step, "detached"))
            case PlanChanged(plan=plan, epochs=epochs, steps=steps):
                if plan != "budget":
                    self.ticks.append((event.step, plan))
                if self.started:
                    self.started = structs.replace(self.started, epochs=epochs, steps=steps)
            case RunFinished(state=state, reason=reason):
                self.state, self.reason, self.ending = state, reason, event
                if state in ("stopped", "interrupted"):
                    self.ticks.append((event.step, state))
            case SampleWritten():
                self.samples.append(event)
                if event.requested:
                    self.ticks.append((event.step, "sample"))
            case SystemSampled():
                self.system.append(event)
            case LearningRateChanged(lr=lr):
                self.ticks.append((event.step, f"lr {lr:.3g}"))
            case AlarmRaised():
                self.alarms.append(event)
                self.ticks.append((event.step, f"!{event.kind}"))
            case CheckpointSaved():
                self.saved = event
                if event.kind == "requested":
                    self.ticks.append((event.step, "saved"))

    def _start(self, event: RunStarted) -> None:
        self.started, self.detached, self.reason, self.ending = event, event.detached, "", None
        self.state = "detached" if event.detached else "training"
        if event.resumed_at_step is not None:
            self._rewind(event.resumed_at_step)
            self.ticks.append((event.step, "resumed"))

    def _take_back(self, step: int) -> None:
        """Rewind if a step comes again although no RunStarted said so, such as after a lost line."""
        if self.steps and step <= self.steps[-1]:
            self._rewind(step - 1)
            self.step = step

    def _rewind(self, step: int) -> None:
        """Forget what came after this step: it is done again."""
        self.step = step
        of_steps = (self.losses, self.grad_norms, self.learning_rates, self.speeds)
        for steps, columns in ((self.steps, of_steps), (self.val_steps, (self.val_losses,))):
            kept = bisect_right(steps, step)
            for column in (steps, *columns):
                del column[kept:]
        self.system = [sampled for sampled in self.system if sampled.step <= step]
        self.samples = [sample for sample in self.samples if sample.step <= step]
        self.ticks = [tick for tick in self.ticks if tick[0] <= step]
        self.alarms = [alarm for alarm in self.alarms if alarm.step <= step]
        if self.last_step is not None and self.last_step.step > step:
            self.last_step = None
        self.evaluations = [evaluation for evaluation in self.evaluations if evaluation.step <= step]

    @property
    def last_evaluation(self) -> Evaluated | None:
        """The newest validation."""
        return self.evaluations[-1] if self.evaluations else None

    @property
    def best_evaluation(self) -> Evaluated | None:
        """The validation with the least loss."""
        return next((evaluation for evaluation in reversed(self.evaluations) if evaluation.best), None)

    @property
    def ended(self) -> bool:
        """Whether the run has ended; it may be resumed."""
        return self.state in ("finished", "stopped", "interrupted", "failed")

    @property
    def validating(self) -> bool:
        """Whether a validation follows the last step and has not been reported yet."""
        if self.started is None or self.last_step is None or self.state not in ("training", "detached"):
            return False
        settings, step = self.started.settings, self.last_step.step
        due = step % settings.get("print_every", step + 1) == 0 or step == self.total_steps
        return due and bool(settings.get("val_frac")) and (not self.val_steps or self.val_steps[-1] < step)

    @property
    def unsaved(self) -> str | None:
        """Why the model that the training ended with is not on disk; None where it is."""
        failed = [alarm for alarm in self.alarms if alarm.kind == "disk" and NOT_SAVED in alarm.message]
        if not failed or failed[-1].step < self.step or (self.saved and self.saved.time >= failed[-1].time):
            return None
        return failed[-1].message

    @property
    def total_steps(self) -> int:
        """Steps of the whole run; 0 before it has started."""
        return self.started.steps if self.started else 0

    @property
    def eta_seconds(self) -> float | None:
        """Training time that is left; None if it is unknown or the run has ended."""
        return self.last_step.eta_seconds if self.last_step and not self.ended else None

    @property
    def machine_share(self) -> MachineShare | None:
        """At the speed of the last steps; None if it is unknown."""
        started, last = self.started, self.last_step
        if started is None or last is None:
            return None
        return machine_share(last.chars_per_second, started.flops_per_char, started.limit_gflops)

    def per_byte(self, loss: float) -> float | None:
        """A loss on the validation part, nats/char, in bits a byte; None where the run is older than the figure."""
        bytes_per_char = self.started.bytes_per_char if self.started else None
        return bits_per_byte(loss, bytes_per_char) if bytes_per_char else None

    def to_json(self) -> dict[str, Any]:
        """The run as one JSON object, under the keys that the documentation names."""
        started, last, evaluation, best = self.started, self.last_step, self.last_evaluation, self.best_evaluation
        values: dict[str, Any] = {"state": self.state, "step": self.step}
        if self.reason:
            values["reason"] = self.reason
        if started:
            values |= {name: getattr(started, name) for name in _STARTED_KEYS}
            values |= {
                name: started.settings.get(name) for name in ("n_hidden", "n_layers", "batch_size", "seq_length")
            }
            values["cell"] = "lstm"
        if last:
            values |= {"epoch": last.epoch, "loss": last.loss, "lr": last.lr}
            values |= {"chars_per_second": last.chars_per_second, "train_seconds": last.train_seconds}
            values["eta_seconds"] = self.eta_seconds
        if share := self.machine_share:
            values |= share.to_json()
        if evaluation:
            values["val_loss"] = evaluation.val_loss
            if evaluation.old_val_loss is not None:
                values["old_val_loss"] = evaluation.old_val_loss
        if best:
            values |= {"best_val_loss": best.val_loss, "best_step": best.step, "bits_per_char": bits(best.val_loss)}
            values["bits_per_byte"] = self.per_byte(best.val_loss)
        values["updated"] = self.updated
        return finite_or_null(values)


_STARTED_KEYS = (
    *("run", "corpus", "chars", "bytes_per_char", "tokens", "parameters"),
    *("device", "precision", "threads", "ranks", "steps", "epochs"),
)
