"""How the app comes to a training and leaves it to another process: each takes a while, and the screen stays alive."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.run.active_run import ActiveRun
    from charrnn_tui.run.control import Control
    from charrnn_tui.run.directory import RunDirectory
    from charrnn_tui.run.events import Event
    from charrnn_tui.run.settings import RunRequest

Begun = tuple["RunDirectory", Generator["Event", None, None]]


class RunStarter:
    """Asks the backend for a training in a thread, one at a time, and tells the app of it. Owns none."""

    def __init__(self, app: App[Any], backend: Backend, started: Callable[[ActiveRun], None]) -> None:
        """`started` is called in the app's thread."""
        self._app, self._backend, self._started = app, backend, started

    def start(self, request: RunRequest, refuse: Callable[[str], None]) -> None:
        """Read the text, and begin; or say in the app's thread why not."""
        self._begin(lambda control: self._backend.start_run(request, control), refuse)

    def resume(self, run: RunDirectory, changes: Mapping[str, Any]) -> None:
        """Go on with a run, with these settings changed."""
        self._begin(lambda control: self._backend.resume_run(run, control, changes), self._failing("Not resumed"))

    def hand_over(self, active: ActiveRun, handed_over: Callable[[], None]) -> None:
        """Leave it to another process; the training here stops only when that stands ready to go on with it."""

        def detach() -> Callable[[], None]:
            self._backend.detach_run(active.directory)
            active.join()
            return handed_over

        self._in_a_thread(detach, self._failing("Not detached"))

    def _begin(self, ask: Callable[[Control], Begun], refuse: Callable[[str], None]) -> None:
        def begin() -> Callable[[], None]:
            from charrnn_tui.run.active_run import ActiveRun
            from charrnn_tui.run.control import Control  # not before there is a run

            control = Control()
            directory, events = ask(control)
            return partial(self._started, ActiveRun(directory, events, control))

        self._in_a_thread(begin, refuse)

    def _in_a_thread(self, act: Callable[[], Callable[[], None]], refuse: Callable[[str], None]) -> None:
        """What `act` gives is called in the app's thread."""

        def work() -> None:
            try:
                tell = act()
            except ValueError as error:
                tell = partial(refuse, str(error))
            self._app.call_from_thread(tell)

        self._app.run_worker(work, thread=True, exclusive=True, group="start")

    def _failing(self, title: str) -> Callable[[str], None]:
        return lambda problem: self._app.notify(problem, title=title, severity="error", markup=False)
