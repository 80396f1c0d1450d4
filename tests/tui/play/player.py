"""The playground in an app of its own, and who plays it by keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from textual.app import App
from textual.pilot import Pilot

from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import ModelSource
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.tui.play.screen import PlayScreen
from tests.playground.scripted_backend import Clock, ScriptedBackend, ScriptedRun
from tests.tui.pilot import STYLES, until

DEFAULT = SamplingSettings(temperature=0.8, top_k=5)  # what the controls show at first


class Playground(App[None]):
    CSS_PATH = STYLES

    def __init__(self, backend: ScriptedBackend, run: ScriptedRun | None, source: ModelSource | None) -> None:
        super().__init__()
        self.clock = Clock()
        self.told: list[str] = []  # the notices, which the screen itself shows for three seconds
        self.jobs = Jobs()
        self.play = PlayScreen(
            backend, lambda: cast(ActiveRun | None, run), self.jobs, clock=self.clock, new_seed=lambda: 99
        )
        if source is not None:
            self.play.open_source(source)

    def on_mount(self) -> None:
        self.push_screen(self.play)
        self.set_interval(1 / 20, self.jobs.drain)

    def notify(self, message: str, **options: Any) -> None:
        self.told.append(message)
        super().notify(message, **options)


class Player:
    """A pilot who knows the screen."""

    def __init__(self, app: Playground, pilot: Pilot[None]) -> None:
        self.app, self.pilot, self.play, self.pane = app, pilot, app.play, app.play.pane
        self.playground = app.play.playground

    async def until(self, condition: Any) -> None:
        await until(self.pilot, condition, self.app.clock)

    async def written(self, count: int = 30) -> None:
        await self.until(lambda: self.playground.writer.count >= count)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def stop(self) -> str:
        """Stop writing; the text so far."""
        await self.press("g")
        await self.until(lambda: self.pane.text_view.text == self.playground.text)
        assert not self.playground.writer.writing
        return self.playground.writer.text


@asynccontextmanager
async def playing(
    backend: ScriptedBackend,
    *,
    run: ScriptedRun | None = None,
    source: ModelSource | None = None,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Player]:
    app = Playground(backend, run, source)
    async with app.run_test(size=size) as pilot:
        yield Player(app, pilot)
