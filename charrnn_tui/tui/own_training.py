"""The training of this process: no screen owns it, so that changing screens cannot end it."""

from collections.abc import Callable, Generator, Mapping
from typing import Any

from textual.app import App

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.control import Control
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import Event
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.settings import RunRequest
from charrnn_tui.tui.dialogs.resume_question import resume_question

_START, _DETACH = "start a training", "detach"  # keys of jobs

Started = tuple[RunDirectory, Generator[Event, None, None]]


class OwnTraining:
    """At most one at a time: started, resumed, handed over to another process, and watched until it has ended."""

    def __init__(self, app: App[Any], backend: Backend, jobs: Jobs, started: Callable[[ActiveRun], None]) -> None:
        """started: called when the training thread runs."""
        self.active: ActiveRun | None = None
        """The training, or the last one that has ended."""
        self._app, self._backend, self._jobs, self._started = app, backend, jobs, started

    def start(self, request: RunRequest, refuse: Callable[[str], None]) -> None:
        """Read the text and start a new run; `refuse` is called with the reason if that is not possible."""
        self._begin(lambda control: self._backend.start_run(request, control), refuse)

    def resume(self, run: RunDirectory, changes: Mapping[str, Any]) -> None:
        """Resume a run from where it ended, with these settings changed."""
        refuse = self._failing("Not resumed")
        if self._begin(lambda control: self._backend.resume_run(run, control, changes), refuse):
            self._app.notify(f"resuming {run.name} …", markup=False)

    def ask_and_resume(self, run: RunDirectory, progress: RunProgress) -> None:
        """Ask for settings that must change before the run can be resumed, such as the number of epochs; resume it."""
        if not progress.ended:
            self._app.notify(f"{run.name} is in training", severity="warning", markup=False)
            return
        asked = resume_question(run.name, progress)
        if asked is None:
            self.resume(run, {})
        else:
            dialog, changes = asked
            self._app.push_screen(dialog, lambda answer: self.resume(run, changes(answer)) if answer else None)

    def hand_over(self) -> None:
        """Hand the training over to another process, and quit; it stops here only when that one is ready."""
        active = self.active
        if active is None or active.done:
            return
        self._app.notify("another process is getting ready to take over …", markup=False)

        def detach(token: CancelToken) -> RunDirectory:
            self._backend.detach_run(active.directory)
            active.join()
            return active.directory

        failing = self._failing("Not detached")
        self._jobs.submit(_DETACH, detach, self._app.exit, lambda error: failing(str(error)))

    def failure(self) -> Exception | None:
        """The error that ended it before its first event, given once; any other is in its last event."""
        active = self.active
        if active is None or not active.done or active.error is None or active.directory.events_file.exists():
            return None
        self.active = None
        return active.error

    def _begin(self, ask: Callable[[Control], Started], refuse: Callable[[str], None]) -> bool:
        """Ask for a training in the background, unless there is one already, and give whether it was asked for."""
        if self.active is not None and not self.active.done:
            refuse(f"{self.active.directory.name} is in training here already: stop it first")
            return False
        if self._jobs.pending(_START):
            refuse("a run is being started already")
            return False

        def begin(token: CancelToken) -> ActiveRun:
            control = Control()
            directory, events = ask(control)
            token.check()
            return ActiveRun(directory, events, control)

        self._jobs.submit(_START, begin, self._begun, lambda error: refuse(str(error)))
        return True

    def _begun(self, active: ActiveRun) -> None:
        self.active = active
        self._started(active)

    def _failing(self, title: str) -> Callable[[str], None]:
        return lambda problem: self._app.notify(problem, title=title, severity="error", markup=False)
