"""Requests to the trainer of a run, in this process or in another."""

import math
from collections.abc import Callable

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


class TrainerControls:
    """Asks the trainer of the run in view, through the run's directory if it is another process."""

    def __init__(self, view: RunView, read_only: bool) -> None:
        """read_only: no trainer is asked anything."""
        self._view, self._read_only = view, read_only
        self.requests: dict[str, Callable[[], None]] = {
            "pause": self._pause_or_go_on,
            "sample": lambda: self._ask(SampleNow(), "a sample is written after this step"),
            "save": lambda: self._ask(SaveNow(), "the model is saved after this step"),
            "stop": self._stop,
            "end_epoch": lambda: self._ask(EndAfterEpoch(), "the run ends after this epoch and is saved"),
            "rate": self._change_learning_rate,
            "double_rate": lambda: self._ask(ScaleLearningRate(2.0), "the learning rate is doubled after this step"),
            "halve_rate": lambda: self._ask(ScaleLearningRate(0.5), "the learning rate is halved after this step"),
            "steps": self._run_steps,
            "epochs": self._add_epochs,
        }
        """By name; some ask the user first."""

    @property
    def available(self) -> bool:
        """Whether there is a trainer to ask."""
        going_on = self._view.progress.started is not None and not self._view.progress.ended
        return not self._read_only and (self.trains_here or going_on)

    @property
    def trains_here(self) -> bool:
        """Whether this process trains the run in view."""
        return self._view.active is not None and not self._view.active.done

    @property
    def can_resume(self) -> bool:
        """Whether the run has ended and may be resumed."""
        return not self._read_only and self._view.progress.ended and not self.trains_here

    def _ask(self, request: Request, reply: str) -> None:
        """Send a request; `reply` says what will happen."""
        if self._view.active is not None and self.trains_here:
            self._view.active.control.request(request)
        elif self._view.run is not None:
            try:
                leave_request(self._view.run.path, request)
            except OSError as error:
                problem = f"the training process cannot be asked: {error.strerror or error}"
                self._view.notify(problem, severity="error", markup=False)
                return
        self._view.notify(reply, markup=False)

    def _pause_or_go_on(self) -> None:
        if self._view.progress.state == "paused":
            self._ask(Resume(), "the training goes on")
        else:
            self._ask(Pause(), "the training pauses after this step")

    def _stop(self) -> None:
        dialog = ChoiceDialog("Save and stop this run?", [Choice("y", "save and stop", "stop")])
        request, reply = Stop("stopped", "stopped from the app"), "the run is saved and stops after this step"
        self._view.app.push_screen(dialog, lambda answer: self._ask(request, reply) if answer else None)

    def _run_steps(self) -> None:
        self._ask_number("Number of steps to run before the next pause:", "100", RunSteps, "steps until the next pause")

    def _add_epochs(self) -> None:
        started = self._view.progress.started
        planned = f" (planned: {started.epochs})" if started else ""
        self._ask_number(f"Number of epochs to add{planned}:", "1", AddEpochs, "epochs added to the plan")

    def _ask_number(self, question: str, proposed: str, request: Callable[[int], Request], reply: str) -> None:
        def ask(answer: str | None) -> None:
            if answer is not None:
                self._ask(request(int(answer)), f"{reply}: {int(answer):,}")

        self._view.app.push_screen(TextDialog(question, proposed, whole_number_problem), ask)

    def _change_learning_rate(self) -> None:
        last = self._view.progress.last_step
        if last is None:
            return

        def scale(answer: str | None) -> None:
            if answer is not None and last.lr > 0:
                value, is_factor = _parse_rate(answer)
                factor = value if is_factor else value / last.lr
                self._ask(ScaleLearningRate(factor), f"the learning rate is {last.lr * factor:.3g} after this step")

        question = f"Learning rate, now {last.lr:.3g}. Type a factor such as x0.5, or the new rate."
        self._view.app.push_screen(TextDialog(question, "x0.5", _rate_problem), scale)


def _parse_rate(text: str) -> tuple[float, bool]:
    """A number above 0, and whether it is a factor (`x0.5`, `*0.5`, `×0.5`). Raises ValueError."""
    stripped = text.strip().lower()
    number = stripped.lstrip("x*×")
    value = float(number)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(text)
    return value, number != stripped


def _rate_problem(text: str) -> str:
    try:
        _parse_rate(text)
    except ValueError:
        return "a factor (x0.5) or a rate (0.0005) above 0"
    return ""
