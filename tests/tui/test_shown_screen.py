"""What is done when a screen is shown, and how often."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from rich.console import RenderableType
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.screen import Screen

from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.compare.screen import CompareScreen
from tests.playground.scripted_backend import tiny_checkpoint
from tests.tui.pilot import screen_text, until
from tests.tui.scripted_training import TrainingBackend


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[TrainingBackend]:
    backend = TrainingBackend(tmp_path / "runs")
    backend.ship(tiny_checkpoint())
    yield backend
    backend.stop()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_opening_a_screen_styles_each_widget_once(
    size: tuple[int, int], backend: TrainingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual would style all of them again when the screen is shown, and again for the width of the terminal."""
    styled: list[object] = []
    update_nodes = Stylesheet.update_nodes

    def counting(self: Stylesheet, nodes: Iterable[DOMNode], animate: bool = False) -> None:
        styled.extend(listed := list(nodes))
        update_nodes(self, listed, animate)

    monkeypatch.setattr(Stylesheet, "update_nodes", counting)
    app = StudioApp(backend, Opening())
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.play.playground.writer.count)
        for key in ("question_mark", "m", "colon", "vertical_line"):
            await pilot.press(key)
            await until(pilot, lambda: app.screen is not app.play and app.screen.is_mounted)
            await pilot.pause()
            assert app.screen not in styled, key
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.play)


async def test_the_first_frame_of_a_screen_has_the_keys_and_the_columns_of_its_width(
    backend: TrainingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[str] = []
    display = StudioApp._display

    def recorded(self: StudioApp, screen: Screen[object], renderable: RenderableType | None) -> None:
        display(self, screen, renderable)
        if isinstance(screen, CompareScreen):
            frames.append(screen_text(self))

    monkeypatch.setattr(StudioApp, "_display", recorded)
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.play.playground.writer.count)
        await pilot.press("vertical_line")
        await until(pilot, lambda: frames)
        first = frames[0].splitlines()
        assert "A " in first[1]
        assert "B " in first[1]
        assert "Link" in first[-1]
