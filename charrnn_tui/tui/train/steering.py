"""The part of the training screen that steers: what is asked of the trainer of the run that is shown."""

import math
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.control import (
    AddEpochs,
    EndAfterEpoch,
    Pause,
    Request,
    Resume,
    RunSteps,
    SampleNow,
    SaveNow,
    ScaleLearningRate,
    Stop,
)
from charrnn_tui.run.mailbox import leave_request
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog, TextDialog, whole_number_problem
from charrnn_tui.tui.train.run_view import RunView

STEERING = frozenset({"pause", "sample", "save", "end_after_epoch", "learning_rate", "scale_rate", "steps"})
STEERING |= {"more_epochs", "stop"}


class SteeringRuns(Screen[None]):
    """Every key is a request: to this process's trainer, or left in the run's directory for another one's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause", id="train.pause"),
        Binding("s", "sample", "Sample", id="train.sample"),
        Binding("S,upper_s", "save", "Save", id="train.save"),
        Binding("x", "stop", "Stop", id="train.stop"),
        Binding("E,upper_e", "end_after_epoch", "End after epoch", id="train.end_after_epoch"),
        Binding("L,upper_l", "learning_rate", "Learning rate", id="train.learning_rate"),
        Binding("asterisk", "scale_rate(2.0)", "Rate ×2", id="train.double_rate", show=False, key_display="*"),
        Binding("slash", "scale_rate(0.5)", "Rate ÷2", id="train.halve_rate", show=False, key_display="/"),
        Binding("T,upper_t", "steps", "Run N steps", id="train.steps", show=False),
        Binding("M,upper_m", "more_epochs", "More epochs", id="train.more_epochs", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.active: ActiveRun | None = None
        """The run that is shown, where this process trains it."""

    @property
    def run_view(self) -> RunView:
        """The run that is shown, or was last."""
        return self.query_one(RunView)

    def _ask(self, request: Request) -> None:
        if self.active is not None:
            self.active.control.request(request)
        elif self.run_view.run is not None:
            try:
                leave_request(self.run_view.run.path, request)
            except OSError as error:
                self.notify(f"the trainer cannot be asked: {error.strerror or error}", severity="error", markup=False)

    def action_pause(self) -> None:
        self._ask(Resume() if self.run_view.progress.state == "paused" else Pause())

    def action_sample(self) -> None:
        self._ask(SampleNow())

    def action_save(self) -> None:
        self._ask(SaveNow())
        self.notify("the model is saved after this step", markup=False)

    def action_end_after_epoch(self) -> None:
        self._ask(EndAfterEpoch())
        self.notify("the run ends, saved, after this epoch", markup=False)

    def action_stop(self) -> None:
        question = "Save and stop this run?"
        self.app.push_screen(ChoiceDialog(question, [Choice("y", "save and stop", "stop")]), self._stop_answered)

    def _stop_answered(self, answer: str | None) -> None:
        if answer == "stop":
            self._ask(Stop("stopped", "stopped from the app"))

    def action_steps(self) -> None:
        """Some steps, then a pause."""
        dialog = TextDialog("Run so many steps, then pause.", "100", whole_number_problem)
        self.app.push_screen(dialog, lambda answer: self._ask(RunSteps(int(answer))) if answer else None)

    def action_more_epochs(self) -> None:
        started = self.run_view.progress.started
        now = f" of {started.epochs}" if started else ""
        dialog = TextDialog(f"Train so many epochs more than the plan{now}.", "1", whole_number_problem)
        self.app.push_screen(dialog, lambda answer: self._ask(AddEpochs(int(answer))) if answer else None)

    def action_learning_rate(self) -> None:
        last = self.run_view.progress.last_step
        if last is None:
            return
        dialog = TextDialog(
            f"Learning rate, now {last.lr:.3g}. Type a factor such as x0.5, or the new rate.", "x0.5", _rate_problem
        )
        self.app.push_screen(dialog, lambda answer: self._scale(answer, last.lr))

    def action_scale_rate(self, factor: float) -> None:
        """The chart and the facts show the new rate once the trainer has answered."""
        self._ask(ScaleLearningRate(factor))

    def _scale(self, answer: str | None, lr: float) -> None:
        if answer is not None and lr > 0:
            value, is_factor = _rate(answer)
            self._ask(ScaleLearningRate(value if is_factor else value / lr))


def _rate(text: str) -> tuple[float, bool]:
    """(number, whether it is a factor). Raises ValueError."""
    stripped = text.strip().lower().lstrip("×")
    is_factor = stripped.startswith(("x", "*")) or text.strip().startswith("×")
    value = float(stripped.lstrip("x*"))
    if not (math.isfinite(value) and value > 0):
        raise ValueError(text)
    return value, is_factor


def _rate_problem(text: str) -> str:
    try:
        _rate(text)
    except ValueError:
        return "a factor (x0.5) or a rate (0.0005) above 0"
    return ""
