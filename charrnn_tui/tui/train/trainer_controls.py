"""Requests to the trainer of a run, in this process or in another."""

import math

from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.control import AddEpochs, EndAfterEpoch, Pause, Request, Resume, RunSteps, ScaleLearningRate, Stop
from charrnn_tui.run.mailbox import leave_request
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog, TextDialog, whole_number_problem
from charrnn_tui.tui.train.run_view import RunView


class TrainerControls:
    """Asks the trainer of the run in view, through the run's directory if it is another process."""

    def __init__(self, view: RunView, *, read_only: bool = False) -> None:
        """read_only: no trainer is asked anything."""
        self._view, self._read_only = view, read_only
        self.active: ActiveRun | None = None
        """The training of this process, if the run in view is trained here."""

    @property
    def available(self) -> bool:
        """Whether there is a trainer to ask."""
        if self._read_only:
            return False
        if self.active is not None:
            return not self.active.done
        return self._view.progress.started is not None and not self._view.progress.ended

    @property
    def trains_here(self) -> bool:
        """Whether this process trains the run in view."""
        return self.active is not None and not self.active.done

    @property
    def can_resume(self) -> bool:
        """Whether the run has ended and may be resumed."""
        return not self._read_only and self._view.progress.ended and not self.trains_here

    def ask(self, request: Request, reply: str = "") -> None:
        """Send a request; `reply` tells the user what will happen."""
        if self.active is not None:
            self.active.control.request(request)
        elif self._view.run is not None:
            try:
                leave_request(self._view.run.path, request)
            except OSError as error:
                problem = f"the trainer cannot be asked: {error.strerror or error}"
                self._view.notify(problem, severity="error", markup=False)
                return
        if reply:
            self._view.notify(reply, markup=False)

    def pause_or_go_on(self) -> None:
        self.ask(Resume() if self._view.progress.state == "paused" else Pause())

    def end_after_epoch(self) -> None:
        self.ask(EndAfterEpoch(), "the run ends after this epoch and is saved")

    def stop(self) -> None:
        def stop(answer: str | None) -> None:
            if answer == "stop":
                self.ask(Stop("stopped", "stopped from the app"))

        question = "Save and stop this run?"
        self._view.app.push_screen(ChoiceDialog(question, [Choice("y", "save and stop", "stop")]), stop)

    def run_steps(self) -> None:
        dialog = TextDialog("Number of steps to run before the next pause:", "100", whole_number_problem)
        self._view.app.push_screen(dialog, lambda answer: self.ask(RunSteps(int(answer))) if answer else None)

    def add_epochs(self) -> None:
        started = self._view.progress.started
        planned = f" (planned: {started.epochs})" if started else ""
        dialog = TextDialog(f"Number of epochs to add{planned}:", "1", whole_number_problem)
        self._view.app.push_screen(dialog, lambda answer: self.ask(AddEpochs(int(answer))) if answer else None)

    def change_learning_rate(self) -> None:
        last = self._view.progress.last_step
        if last is None:
            return

        def scale(answer: str | None) -> None:
            if answer is not None and last.lr > 0:
                value, is_factor = _parse_rate(answer)
                self.ask(ScaleLearningRate(value if is_factor else value / last.lr))

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
