"""The chart on the screen: keys, mouse, what is painted again."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import numpy as np
import pytest
from msgspec import structs
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import Input

from charrnn_tui.run.events import SystemSampled
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart.loss_chart import LossChart
from tests.tui.chart.falling_losses import add_losses, add_validations, falling_run, run_of
from tests.tui.pilot import STYLES
from tests.tui.scripted_training import evaluated, started, step_done


class WatchedChart(LossChart):
    """Remembers what it repaints."""

    def __init__(self) -> None:
        super().__init__()
        self.repainted: list[tuple[Region, ...]] = []

    def refresh(self, *regions: Region, **options: bool) -> "WatchedChart":
        self.repainted.append(regions)
        return super().refresh(*regions, **options)


class ChartApp(App[None]):
    CSS_PATH = STYLES

    def __init__(self, chart: LossChart) -> None:
        super().__init__()
        self.chart, self.run_shown = chart, RunProgress()
        self.crosshairs: list[int | None] = []

    def compose(self) -> ComposeResult:
        yield self.chart
        yield Input()

    def on_loss_chart_crosshair_moved(self, message: LossChart.CrosshairMoved) -> None:
        self.crosshairs.append(message.step)

    def add(self, steps: Iterable[int], losses: Iterable[float]) -> None:
        """More losses of the run, shown."""
        add_losses(self.run_shown, steps, losses)
        self.chart.show(self.run_shown)

    def row(self, y: int) -> str:
        return self.chart.render_line(y).text.rstrip()


@asynccontextmanager
async def shown_chart(
    points: int = 2000, size: tuple[int, int] = (100, 33)
) -> AsyncIterator[tuple[ChartApp, Pilot[None]]]:
    """A focused chart, three rows of input below it."""
    app = ChartApp(WatchedChart())
    async with app.run_test(size=size) as pilot:
        app.run_shown = falling_run(points)
        app.chart.show(app.run_shown)
        app.chart.focus()
        await pilot.pause()
        yield app, pilot


async def test_points_appear_when_they_are_added() -> None:
    async with shown_chart(points=0) as (app, pilot):
        assert any("no losses yet" in app.row(y) for y in range(30))
        app.add([1, 2], [4.0, 3.5])
        await pilot.pause()
        assert "train 3.500" in app.row(0)


async def test_points_added_before_the_chart_is_shown_are_not_lost() -> None:
    chart = LossChart()
    chart.show(run_of([1, 2], [4.0, 3.5]))
    app = ChartApp(chart)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "train 3.500" in app.row(0)


async def test_a_new_point_repaints_only_the_rows_it_changes() -> None:
    async with shown_chart(points=1600) as (app, pilot):
        app.chart.repainted.clear()
        app.add([1601], [1.32])
        await pilot.pause()
        (regions,) = app.chart.repainted
        assert {region.height for region in regions} == {1}
        assert 1 <= len(regions) <= 4
        assert regions[0].y == 0


async def test_a_point_that_changes_nothing_repaints_nothing() -> None:
    async with shown_chart(points=0) as (app, pilot):
        await pilot.press("e", "e", "e")  # no smoothing
        app.add(range(1, 1604), np.full(1603, 2.0))
        await pilot.pause()
        app.chart.repainted.clear()
        app.add([1604], [2.0])
        await pilot.pause()
        assert app.chart.repainted == []


async def test_additions_in_one_go_are_drawn_once() -> None:
    async with shown_chart(points=1600) as (app, pilot):
        app.chart.repainted.clear()
        for step in range(1601, 1621):
            add_validations(app.run_shown, [step], [1.45])
            app.add([step], [1.32])
        await pilot.pause()
        assert len(app.chart.repainted) == 1


async def test_focus_shows_without_colour() -> None:
    async with shown_chart() as (app, pilot):
        assert app.row(0).startswith("▸")
        assert {app.row(y)[5] for y in range(1, 28)} == {"┃", "┨"}
        app.query_one(Input).focus()
        await pilot.pause()
        assert app.row(0).startswith(" loss")
        assert {app.row(y)[5] for y in range(1, 28)} == {"│", "┤"}


async def test_l_turns_the_loss_axis_logarithmic_and_back() -> None:
    async with shown_chart() as (app, pilot):
        await pilot.press("l")
        assert "loss log" in app.row(0)
        await pilot.press("l")
        assert "log" not in app.row(0)


async def test_the_crosshair_starts_at_the_newest_loss_and_moves_by_keys() -> None:
    async with shown_chart() as (app, pilot):
        await pilot.press("v", "left", "left", "right", "v")
        assert app.crosshairs[0] == 2000
        assert app.crosshairs[-1] is None
        first, second, third = (step for step in app.crosshairs[1:-1] if step is not None)
        assert second < first < 2000
        assert abs(third - first) <= 2


async def test_a_click_sets_the_crosshair() -> None:
    async with shown_chart() as (app, pilot):
        await pilot.click(LossChart, offset=(53, 10))
        await pilot.pause()
        assert app.crosshairs == [1011]
        assert app.row(0).startswith(" 1,011 ")


async def test_a_click_beside_the_plot_sets_nothing() -> None:
    async with shown_chart() as (app, pilot):
        await pilot.click(LossChart, offset=(2, 10))
        await pilot.pause()
        assert app.crosshairs == []


async def test_zoom_pan_follow_and_reset() -> None:
    async with shown_chart() as (app, pilot):
        whole = app.row(29)
        await pilot.press("plus")
        assert app.row(29).split() == ["1k", "1.2k", "1.4k", "1.6k", "1.8k", "2k"]
        await pilot.press("left")
        assert "held" in app.row(0)
        assert app.row(29).split()[0] == "800"
        await pilot.press("f")
        assert "held" not in app.row(0)
        assert app.row(29).split()[0] == "1k"
        await pilot.press("0")
        assert app.row(29) == whole


async def test_zooming_in_and_out_again_shows_the_same() -> None:
    async with shown_chart() as (app, pilot):
        whole = app.row(29)
        await pilot.press("plus", "plus", "minus", "minus")
        assert app.row(29) == whole


async def test_the_crosshair_takes_the_window_along() -> None:
    async with shown_chart() as (app, pilot):
        await pilot.press("v", *["plus"] * 4)
        for _ in range(120):
            app.chart.action_move(-1)
        await pilot.pause()
        step = app.crosshairs[-1]
        assert step is not None
        assert f"{step:,}" in app.row(29)


async def test_e_cycles_the_smoothing_and_can_turn_it_off() -> None:
    async with shown_chart() as (app, pilot):
        shown = []
        for _ in range(5):
            words = app.row(0).split()
            shown.append(words[words.index("━") + 2] if "━" in words else "off")
            await pilot.press("e")
        assert shown == ["0.9", "0.98", "0.995", "off", "0.9"]


async def test_another_run_takes_over_nothing_but_the_smoothing() -> None:
    async with shown_chart() as (app, pilot):
        await pilot.press("e", "v")
        app.run_shown = RunProgress()
        app.chart.show(app.run_shown)
        await pilot.pause()
        assert app.crosshairs[-1] is None
        assert any("no losses yet" in app.row(y) for y in range(30))
        app.add([1, 2], [4.0, 3.5])
        await pilot.pause()
        assert "0.98" in app.row(0)


async def test_overlays_come_and_go() -> None:
    async with shown_chart() as (app, pilot):
        app.chart.show(app.run_shown, {"anna-2": run_of([1, 2000], [3.0, 2.0])})
        await pilot.pause()
        assert "a anna-2 2.000" in app.row(0)
        app.chart.show(app.run_shown)
        await pilot.pause()
        assert "anna-2" not in app.row(0)


async def test_an_overlay_alone_is_drawn() -> None:
    async with shown_chart(points=0) as (app, pilot):
        app.chart.show(app.run_shown, {"anna-2": run_of(range(10, 2000, 10), np.linspace(3, 2, 199))})
        await pilot.press("v", "left")
        assert "anna-2" in app.row(0)
        assert app.crosshairs == []


async def test_the_total_ends_the_axis() -> None:
    async with shown_chart(points=2100) as (app, pilot):
        assert app.row(29).split()[-1] == "3k"
        app.run_shown.add(started(steps=2500))
        app.chart.show(app.run_shown)
        await pilot.pause()
        assert app.row(29).split()[-1] == "2.5k"


async def test_the_chart_survives_every_resize_and_key() -> None:
    async with shown_chart(points=300) as (app, pilot):
        for width, height in ((1, 1), (20, 7), (300, 100), (80, 24)):
            await pilot.resize_terminal(width, height)
            await pilot.press("v", "left", "plus", "right", "v", "left", "minus", "l", "e", "f", "0")
            assert app.chart.size.width <= width
        assert "train" in app.row(0)


async def test_the_whole_application_can_lose_its_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown_chart(points=300) as (app, pilot):
        app.add([301], [1.4])
        await pilot.pause()
        raw = next(segment for y in range(30) for segment in app.chart.render_line(y) if "⣿" in segment.text)
        assert raw.style is not None
        assert raw.style.dim


async def test_another_quantity_takes_the_place_of_the_losses() -> None:
    progress = RunProgress()
    progress.add(started())
    for step in range(1, 101):
        progress.add(structs.replace(step_done(step), grad_norm=0.5, lr=0.004, chars_per_second=12_000.0))
    progress.add(evaluated(100, 2.0))
    progress.add(SystemSampled(time=1.0, step=50, memory_bytes=2_500_000_000))
    app = ChartApp(WatchedChart())
    async with app.run_test(size=(100, 33)) as pilot:
        app.chart.show(progress)
        app.chart.focus()
        await pilot.pause()
        losses = app.row(0)
        seen = []
        for _ in range(4):
            await pilot.press("y")
            await pilot.pause()
            seen.append(app.row(0).split())
        assert [row[0] for row in seen] == ["▸gradient", "▸learning", "▸speed", "▸memory"]
        assert [row[-1] for row in seen] == ["0.500", "thousandths", "chars/s", "GB"]
        values = ["0.500", "4.000", "12.000", "2.500"]
        assert [value in row for value, row in zip(values, seen, strict=True)] == [True] * 4
        await pilot.press("v")
        await pilot.pause()
        assert app.row(0).split() == ["step", "50", "⣿", "2.500", "━", "2.500", "GB"]
        await pilot.press("v", "y")  # nothing is known of the processor and the GPU
        await pilot.pause()
        assert app.row(0) == losses
