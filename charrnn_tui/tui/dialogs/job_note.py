"""The line of a dialog that says what its job is doing."""

from collections.abc import Callable
from typing import Final, TypeVar

from textual.timer import Timer
from textual.widgets import Static

from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.tui.static_line import show_line

Result = TypeVar("Result")
Report = Callable[[str], None]
SHOWN_SECONDS: Final = 0.25  # between two looks at what a job reports


class JobNote(Static):
    """Runs one job at a time, and cancels it when the dialog is closed."""

    def __init__(self, jobs: Jobs, text: str = "") -> None:
        super().__init__(text, markup=False)
        self._jobs, self._job = jobs, f"dialog {id(self)}"  # so that it cancels no job of the next dialog
        self._doing = ""
        self._timer: Timer | None = None

    def say(self, text: str, *, error: bool = False) -> None:
        """Show this line."""
        self.set_class(error, "-error")
        show_line(self, text, layout=True)

    def run(self, text: str, work: Callable[[CancelToken], Result], done: Callable[[Result], object]) -> None:
        """Show this line while work runs in a job; then hand its result to `done`, or show its error."""
        self.say(text)
        self._jobs.submit(self._job, work, done, lambda error: self.say(str(error), error=True))

    def run_long(self, work: Callable[[Report], Result], done: Callable[[Result], object]) -> None:
        """Run work that takes a while: the line shows what it reports, and that Esc stops it, until it is done.

        The report raises Abandoned in the work's own thread once the job is stopped.
        """
        self._doing = ""

        def reporting(token: CancelToken) -> Result:
            def report(text: str) -> None:
                token.check()
                self._doing = text

            return work(report)

        def show() -> None:
            if self.busy:
                self.say(f"{self._doing} … Esc stops")

        if self._timer is None:
            self._timer = self.set_interval(SHOWN_SECONDS, show)
        self.run("… Esc stops", reporting, done)

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._jobs.pending(self._job)

    def stop(self) -> None:
        """End the job, soon; its result is dropped."""
        self._jobs.cancel(self._job)

    def on_unmount(self) -> None:
        self.stop()
