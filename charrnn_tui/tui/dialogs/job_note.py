"""The line of a dialog that says what its job is doing."""

from collections.abc import Callable
from typing import TypeVar

from textual.widgets import Static

from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.tui.static_line import show_line

Result = TypeVar("Result")


class JobNote(Static):
    """Runs one job at a time, and cancels it when the dialog is closed."""

    def __init__(self, jobs: Jobs, text: str = "") -> None:
        super().__init__(text, markup=False)
        self._jobs, self._job = jobs, f"dialog {id(self)}"  # so that it cancels no job of the next dialog

    def say(self, text: str, *, error: bool = False) -> None:
        """Show this line."""
        self.set_class(error, "-error")
        show_line(self, text, layout=True)

    def run(self, text: str, work: Callable[[CancelToken], Result], done: Callable[[Result], object]) -> None:
        """Show this line while work runs in a job; then hand its result to `done`, or show its error."""
        self.say(text)
        self._jobs.submit(self._job, work, done, lambda error: self.say(str(error), error=True))

    def on_unmount(self) -> None:
        self._jobs.cancel(self._job)
