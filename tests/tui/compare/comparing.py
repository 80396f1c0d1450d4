"""Side by side in an app of its own, and who plays it by keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from textual.app import App
from textual.pilot import Pilot

from charrnn_tui.playground.controls import DEFAULTS, PlaySettings
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import ModelSource, load_model
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.tui.compare.screen import CompareScreen, status_of
from tests.playground.scripted_backend import Clock, ScriptedBackend, ScriptedRun
from tests.tui.pilot import STYLES, screen_text, until

SETTINGS = replace(DEFAULTS, length=200)


class Comparing(App[None]):
    CSS_PATH = STYLES

    def __init__(
        self,
        backend: ScriptedBackend,
        source: ModelSource,
        prime: str,
        settings: PlaySettings,
        run: ScriptedRun | None,
        jobs: Jobs,
    ) -> None:
        super().__init__()
        self.clock = Clock()
        self.jobs = jobs
        model = load_model(source, backend)
        self.side_by_side = CompareScreen(
            backend, lambda: cast(ActiveRun | None, run), model, prime, settings, lambda: 99, self.jobs, self.clock
        )

    def on_mount(self) -> None:
        self.push_screen(self.side_by_side)
        self.set_interval(1 / 20, self.jobs.drain)


class Comparer:
    """A pilot who knows the screen."""

    def __init__(self, app: Comparing, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot
        self.comparison = app.side_by_side.comparison
        self.one, self.other = self.comparison.sides
        self.panes = app.side_by_side.panes

    async def until(self, condition: Any) -> None:
        await until(self.pilot, condition)

    async def press(self, *keys: str) -> None:
        """Press them, and wait until all is written that they ask for."""
        await self.pilot.press(*keys)
        await self.pilot.pause()
        await self.written()

    async def written(self) -> None:
        await self.until(lambda: not self.one.busy and not self.other.busy and self.other.shown is not None)
        await self.pilot.pause()

    @property
    def status(self) -> str:
        return " · ".join(status_of(self.comparison))

    @property
    def screen(self) -> str:
        return screen_text(self.app)


@asynccontextmanager
async def comparing(
    backend: ScriptedBackend,
    source: ModelSource,
    *,
    prime: str = "abc",
    settings: PlaySettings = SETTINGS,
    size: tuple[int, int] = (80, 24),
    run: ScriptedRun | None = None,
    jobs: Jobs | None = None,
) -> AsyncIterator[Comparer]:
    app = Comparing(backend, source, prime, settings, run, Jobs() if jobs is None else jobs)
    async with app.run_test(size=size) as pilot:
        comparer = Comparer(app, pilot)
        await comparer.written()
        yield comparer
