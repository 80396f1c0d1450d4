"""What a person asks of the trainer of a run: of this process's, or of another's through the run's directory."""

import math
from collections.abc import Callable

from textual.app import App

from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.control import AddEpochs, Request, RunSteps, ScaleLearningRate, Stop
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.mailbox import leave_request
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog, TextDialog, whole_number_problem


class TrainerRequests:
    """Sends requests to one run's trainer, after a question where one is needed."""

    def __init__(self, app: Callable[[], App[object]]) -> None:
        """app: shows the questions; asked for when it is needed."""
        self._app = app
        self.run: RunDirectory | None = None
        self.active: ActiveRun | None = None
        """The run, if this process trains it."""

    def send(self, request: Request, acknowledgement: str = "") -> None:
        """acknowledgement: told when the request has been sent, for those whose effect is not seen at once."""
        if self.active is not None:
            self.active.control.request(request)
        elif self.run is not None:
            try:
                leave_request(self.run.path, request)
            except OSError as error:
                message = f"the trainer cannot be asked: {error.strerror or error}"
                self._app().notify(message, severity="error", markup=False)
                return
        if acknowledgement:
            self._app().notify(acknowledgement, markup=False)

    def ask_to_stop(self) -> None:
        def answered(answer: str | None) -> None:
            if answer == "stop":
                self.send(Stop("stopped", "stopped from the app"))

        self._app().push_screen(
            ChoiceDialog("Save and stop this run?", [Choice("y", "save and stop", "stop")]), answered
        )

    def ask_for_steps(self) -> None:
        dialog = TextDialog("Train so many steps, then pause.", "100", whole_number_problem)
        self._app().push_screen(dialog, lambda answer: self.send(RunSteps(int(answer))) if answer else None)

    def ask_for_epochs(self, progress: RunProgress) -> None:
        planned = f" of {progress.started.epochs}" if progress.started else ""
        dialog = TextDialog(f"Train so many epochs more than the plan{planned}.", "1", whole_number_problem)
        self._app().push_screen(dialog, lambda answer: self.send(AddEpochs(int(answer))) if answer else None)

    def ask_for_learning_rate(self, progress: RunProgress) -> None:
        last = progress.last_step
        if last is None:
            return

        def answered(answer: str | None) -> None:
            if answer is not None and last.lr > 0:
                value, is_factor = _rate(answer)
                self.send(ScaleLearningRate(value if is_factor else value / last.lr))

        question = f"Learning rate, now {last.lr:.3g}. Type a factor such as x0.5, or the new rate."
        self._app().push_screen(TextDialog(question, "x0.5", _rate_problem), answered)


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
