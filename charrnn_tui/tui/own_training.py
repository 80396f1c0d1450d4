"""The training of this process, which no screen owns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from textual.app import App

from charrnn_tui.tui.run_starter import RunStarter

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.run.active_run import ActiveRun
    from charrnn_tui.run.directory import RunDirectory
    from charrnn_tui.run.progress import RunProgress
    from charrnn_tui.run.settings import RunRequest


class OwnTraining:
    """One at a time: begun, resumed, handed over, and looked at until it has ended."""

    def __init__(self, app: App[Any], backend: Backend, started: Callable[[ActiveRun], None]) -> None:
        """`started` is called in the app's thread."""
        self.active: ActiveRun | None = None
        self._app = app
        self._starter = RunStarter(app, backend, self._begun)
        self._started = started

    @property
    def going(self) -> bool:
        """Whether there is one that has not ended."""
        return self.active is not None and not self.active.done

    def start(self, request: RunRequest, refuse: Callable[[str], None]) -> None:
        """Begin a new run; or say why not."""
        if self.going:
            refuse("a run is in training here already: stop it first")
        else:
            self._starter.start(request, refuse)

    def resume(self, run: RunDirectory, changes: Mapping[str, Any]) -> None:
        """Go on with a run where it ended, with these settings changed."""
        self._starter.resume(run, changes)

    def ask_and_resume(self, run: RunDirectory, progress: RunProgress) -> None:
        """Go on with a run, with what must be changed for it; or tell the user why not."""
        from charrnn_tui.tui.dialogs.resume_question import resume_question  # dialogs: not before they are shown

        if not progress.ended:
            self._app.notify(f"{run.name} is in training", severity="warning", markup=False)
            return
        asked = resume_question(run.name, progress)
        if asked is None:
            self._resume_if_free(run, {})
        else:
            dialog, changes = asked
            self._app.push_screen(dialog, lambda answer: self._resume_if_free(run, changes(answer)) if answer else None)

    def _resume_if_free(self, run: RunDirectory, changes: Mapping[str, Any]) -> None:
        if self.going:
            assert self.active is not None
            name = self.active.directory.name
            self._app.notify(f"{name} is in training here already: stop it first", severity="warning", markup=False)
        else:
            self._app.notify(f"resuming {run.name} …", markup=False)
            self.resume(run, changes)

    def hand_over(self, handed_over: Callable[[RunDirectory], None]) -> None:
        """Leave it to another process."""
        active = self.active
        if active is not None and not active.done:
            self._app.notify("another process is getting ready to take over …", markup=False)
            self._starter.hand_over(active, lambda: handed_over(active.directory))

    def failure(self) -> Exception | None:
        """What has ended it, told once. One that has never begun is forgotten with it."""
        active = self.active
        if active is None or not active.done or active.error is None:
            return None
        error, active.error = active.error, None
        if not active.directory.events_file.exists():
            self.active = None
        return error

    def _begun(self, active: ActiveRun) -> None:
        self.active = active
        self._started(active)
