from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import Input

from charrnn_tui.tui.widgets import braille
from charrnn_tui.tui.widgets.chart_axes import (
    LossRange,
    StepWindow,
    WindowChoice,
    fitted,
    round_ticks,
    short_step_label,
    stage,
    step_label,
    whole_run,
)
from charrnn_tui.tui.widgets.chart_cells import ChartCells
from charrnn_tui.tui.widgets.chart_view import ChartView, DrawnChart, draw_chart
from charrnn_tui.tui.widgets.loss_chart import LossChart
from charrnn_tui.tui.widgets.loss_series import Intervention, LossCurves


def falling(points: int = 2000) -> LossCurves:
    """4.3 to 1.3 nats/char, the raw losses 0.1 to either side; a validation every 100 steps, 0.1 above."""
    curves = LossCurves()
    steps = np.arange(1, points + 1)
    losses = 1.3 + 3 * np.exp(-steps / 300)
    curves.add_losses(steps, losses + 0.1 * (-1.0) ** steps)
    curves.validation.append(steps[99::100], losses[99::100] + 0.1)
    return curves


def draw(curves: LossCurves, width: int, height: int, end: int = 2000, **view: Any) -> DrawnChart:
    return draw_chart(curves, ChartView(width, height, StepWindow(0, end), **view), None)


def rows_of(cells: ChartCells) -> list[str]:
    return [cells.row_text(row) for row in range(cells.height)]


def rows(curves: LossCurves, width: int, height: int, end: int = 2000, **view: Any) -> list[str]:
    return [row.rstrip() for row in rows_of(draw(curves, width, height, end, **view).cells)]


class TestPicture:
    def test_a_tiny_chart_is_all_curve_and_last_loss(self) -> None:
        assert rows(falling(), 20, 4) == [
            "▲⣄             1.404",
            " ⠈⢧⡀",
            "  ⠙⠙⠲⣀⡀",
            "    ⠈⠙⠛⠷⠉⠓⠒⠒⠒⣤⣤⣤⠒⠒⠒★",
        ]

    def test_a_small_chart_has_axes_and_a_terse_legend(self) -> None:
        assert rows(falling(), 32, 8) == [
            "  ⣿ 1.40 ━ 1.31 ┅ 1.40 ★ 1.40",
            "  4.0┤▲⡀",
            "     │ ⠹⣄",
            "     │  ⠘⣆",
            "     │   ⠈⠳⣄⡀",
            "  2.0┤     ⠙⠻⢶⠦⠤⣄⣀⣀⡀",
            "     │        ⠈⠉⠙⠛⠛⠛⠻⠶⠉⠉⠉⠉⠉⠶⠶⠶⠉★",
            "      0           1k          2k",
        ]

    def test_a_chart_of_60_columns_names_its_lines(self) -> None:
        assert rows(falling(), 60, 14) == [
            " nats  ⣿ train 1.404  ━ smooth 1.309  ┅ val 1.404  ★ 1.404",
            "  4.0┤▲▲⡀",
            "     │ ⠘⢠⡀",
            "     │  ⠘⢳⡀",
            "     │   ⠈⠹⡀",
            "     │    ⠈⠻⣆⡀",
            "     │     ⠈⠙⢷⢦⡀",
            "     │       ⠈⠙⠙⠦⣄⡀",
            "  2.0┤         ⠈⠉⠻⠙⣄⡀⣀⡀",
            "     │            ⠈⠉⠛⠻⠉⠓⠒⠦⠤⣄⣀⣀⣀",
            "     │                 ⠈⠈⠉⠙⠛⠛⠷⠈⠉⠉⠉⠉⣤⣤⣤⠒⠒⠒⠒⠒⣀⣀⣀⠒⠒⠒⠒⠒⣀⣀⣀⠤⠤⠤⠤⠤★",
            "     │                              ⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉",
            "     └───────────────────────────┬─────────────────────────┬",
            "      0                         1k                        2k",
        ]

    @pytest.mark.parametrize(
        ("width", "legend"),
        [
            (80, " nats/char  ⣿ train 1.404  ━ smooth 0.9 1.309  ┅ val 1.404  ★ best 1.404"),
            (
                120,
                " loss nats/char  ⣿ train 1.404  ━ smoothed 0.9 1.309  ┅ validation 1.404  ★ best 1.404 @ 2k",
            ),
        ],
    )
    def test_a_wider_chart_says_more(self, width: int, legend: str) -> None:
        found = rows(falling(), width, 30)
        assert found[0] == legend
        assert [row[2:5] for row in found if row[5:6] == "┤"] == ["4.0", "3.5", "3.0", "2.5", "2.0", "1.5", "1.0"]

    @pytest.mark.parametrize("empty", [LossCurves(), falling(0)])
    def test_without_losses_a_hint_stands_in_the_middle(self, empty: LossCurves) -> None:
        assert rows(empty, 21, 5) == ["", "", "    no losses yet", "", ""]

    def test_losses_that_are_all_nan_are_said_to_be(self) -> None:
        curves = LossCurves()
        curves.add_losses([1, 2], [np.nan, np.inf])
        assert rows(curves, 24, 3)[1].strip() == "no finite loss yet"

    def test_nan_leaves_a_gap_in_all_that_is_drawn(self) -> None:
        curves = LossCurves()
        losses = np.full(200, 2.0)
        losses[100:120] = np.nan
        curves.add_losses(np.arange(200), losses)
        drawn = draw(curves, 100, 1, end=200)
        assert [index for index, character in enumerate(drawn.cells.row_text(0)[:90]) if character == " "] == [
            *range(50, 60)
        ]

    def test_a_last_loss_that_is_nan_is_shown_as_such(self) -> None:
        curves = falling()
        curves.add_losses([2001], [np.nan])
        assert "train nan" in rows(curves, 80, 24)[0]

    def test_overlays_carry_a_letter_on_the_curve_and_in_the_legend(self) -> None:
        curves = falling()
        curves.overlays["anna-2"] = falling().validation
        found = rows(curves, 120, 20)
        assert "a anna-2 1.404" in found[0]
        assert any("a" in row[6:] for row in found[1:-2])

    def test_an_intervention_stands_on_the_axis_with_its_label(self) -> None:
        curves = falling()
        curves.interventions.append(Intervention(1000, "lr 0.0005"))
        axis = rows(curves, 80, 24)[-2]
        assert axis[6 + 37 :].startswith("▲lr 0.0005 ")

    def test_names_cannot_smuggle_escape_sequences_or_wide_characters(self) -> None:
        curves = falling()
        curves.overlays["\x1b[31m猫"] = falling().validation
        row = rows(curves, 140, 20)[0]
        assert "\x1b" not in row
        assert "␛[31m·" in row

    def test_the_first_losses_are_clipped_with_a_mark_at_the_top_edge(self) -> None:
        drawn = draw(falling(), 80, 24)
        assert drawn.loss_range is not None
        assert drawn.loss_range.top < 4.3
        assert drawn.cells.row_text(1)[6] == "▲"

    def test_the_first_screenful_shows_all_losses(self) -> None:
        drawn = draw(falling(300), 80, 24, end=300)
        assert drawn.loss_range is not None
        assert drawn.loss_range.top > 4.3
        assert "▲" not in drawn.cells.row_text(1)

    def test_a_late_rise_is_never_clipped(self) -> None:
        curves = falling()
        curves.add_losses(np.arange(2001, 2021), np.full(20, 9.0))
        drawn = draw(curves, 80, 24, end=2020)
        assert drawn.loss_range is not None
        assert drawn.loss_range.top > 7  # the mean of the smoothed losses in the last column

    def test_a_log_axis_covers_everything_and_skips_what_has_no_logarithm(self) -> None:
        curves = falling()
        curves.add_losses([2001, 2002], [0.0, -1.0])
        drawn = draw(curves, 80, 24, end=2100, log=True)
        assert drawn.loss_range is not None
        assert drawn.loss_range.bottom > 0
        assert drawn.loss_range.top > 4.3
        assert "log" in drawn.cells.row_text(0)

    def test_the_crosshair_reads_nats_and_bits(self) -> None:
        found = rows(falling(), 120, 24, crosshair=1000)
        assert found[0] == (
            " step 1,000   ⣿ train 1.507 (2.174 bits)  ━ smooth 1.416 (2.042 bits)  ┅ val 1.507 (2.174 bits)  nats/char"
        )
        assert "1,000" in found[-1]
        assert sum("┊" in row for row in found) > 10

    def test_every_size_can_be_drawn(self) -> None:
        curves = falling(500)
        curves.overlays["another"] = falling(800).validation
        curves.interventions += [Intervention(step, "a long label") for step in (0, 10, 499)]
        for width in (*range(5), *range(20, 36), 80, 300):
            for height in (*range(14), 24, 100):
                for crosshair in (None, 250.0):
                    cells = draw(curves, width, height, end=500, crosshair=crosshair).cells
                    assert [len(row) for row in rows_of(cells)] == [width] * height
                    for row in range(height):
                        assert "".join(text for text, _ in cells.runs(row)) == cells.row_text(row)


def test_a_million_points_make_the_picture_of_their_exact_envelope() -> None:
    points, width, height = 1_000_000, 100, 30
    rng = np.random.default_rng(7)
    steps = np.arange(points)
    losses = (1.3 + 3 * np.exp(-steps / 90_000) + rng.normal(0, 0.05, points)).astype(np.float32)
    losses[rng.integers(0, points, 20_000)] = np.nan
    curves = LossCurves()
    curves.smooth(0)
    curves.add_losses(steps, losses)
    window = StepWindow(0, points)
    drawn = draw_chart(curves, ChartView(width, height, window), None)
    box, loss_range = drawn.box, drawn.loss_range
    assert loss_range is not None
    column = np.minimum(steps * box.dot_columns // points, box.dot_columns - 1)
    low, high = np.full(box.dot_columns, np.inf), np.full(box.dot_columns, -np.inf)
    np.fmin.at(low, column, losses)
    np.fmax.at(high, column, losses)
    tops, bottoms = (loss_range.dot_heights(ends, box.dot_rows) for ends in (high, low))
    expected = braille.BRAILLE + braille.to_cells(braille.strokes(tops, bottoms, box.dot_rows)).astype(np.uint32)
    found = drawn.cells.characters[box.row : box.row + box.rows, box.column :].copy()
    blank, clipped = found == ord(" "), found == ord("▲")
    assert clipped[1:].sum() == 0
    assert (clipped[0] == (tops < 0).reshape(-1, 2).any(axis=1)).all()
    found[blank] = braille.BRAILLE
    assert (found[~clipped] == expected[~clipped]).all()


class TestAxes:
    def test_ticks_are_round(self) -> None:
        assert round_ticks(1.23, 3.4, 5) == [1.5, 2.0, 2.5, 3.0]
        assert round_ticks(0, 2780, 4) == [0, 1000, 2000]

    def test_steps_are_written_in_thousands(self) -> None:
        assert [step_label(step) for step in (0, 850, 1500, 12_400, 1_250_000)] == [
            "0",
            "850",
            "1.5k",
            "12.4k",
            "1.25M",
        ]
        assert [short_step_label(step) for step in (999, 12_449, 999_900)] == ["999", "12.4k", "1M"]

    def test_the_step_axis_grows_in_stages(self) -> None:
        ends = [stage(step) for step in range(1, 10_001)]
        assert sorted(set(ends)) == [
            *(20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 500, 600, 800),
            *(1000, 1500, 2000, 3000, 4000, 5000, 6000, 8000, 10_000),
        ]

    def test_the_step_axis_ends_with_the_run(self) -> None:
        assert whole_run(1, 2100, 2780) == StepWindow(0, 2780)
        assert whole_run(1, 100, 2780) == StepWindow(0, 100)
        assert whole_run(1, 2781, 2780) == StepWindow(0, 3000)

    def test_a_run_that_starts_late_does_not_show_the_steps_before(self) -> None:
        assert whole_run(100_000, 100_150, None) == StepWindow(100_000, 100_150)

    def test_a_following_window_moves_in_hops(self) -> None:
        choice = WindowChoice(span=800)
        starts = {choice.window(1, last, None).start for last in range(5000, 5201)}
        assert starts == {4200, 4300, 4400}

    def test_zooming_about_an_anchor_keeps_it_in_its_place(self) -> None:
        whole = StepWindow(0, 1000)
        choice = WindowChoice().zoomed(whole, whole, whole, 0.5, 250)
        assert (choice.start, choice.span, choice.follows) == (125, 500, False)
        back = choice.zoomed(choice.window(1, 1000, None), whole, whole, 2, 250)
        assert back == WindowChoice()

    def test_zooming_out_reaches_the_end_of_a_longer_run_beside(self) -> None:
        newest, whole = StepWindow(0, 1000), StepWindow(0, 3000)
        choice = WindowChoice().zoomed(newest, newest, whole, 2, None)
        assert choice.window(1, 1000, None) == StepWindow(0, 2000)
        choice = choice.zoomed(StepWindow(0, 2000), newest, whole, 2, None)
        assert choice.window(1, 1000, None) == whole

    def test_panning_stops_at_the_ends(self) -> None:
        whole = StepWindow(0, 1000)
        choice = WindowChoice(100, 50, follows=False)
        assert choice.panned(StepWindow(50, 150), whole, -1).start == 0
        assert choice.panned(StepWindow(850, 950), whole, 1).start == 900

    def test_the_loss_axis_stays_while_the_losses_fit(self) -> None:
        first = fitted(None, 1.2, 3.1, log=False)
        assert (first.bottom, first.top) == (1.0, 3.2)
        assert fitted(first, 1.1, 3.19, log=False) is first
        assert fitted(first, 1.1, 3.3, log=False).top > 3.3
        assert fitted(first, 1.2, 2.0, log=False).top < 2.5

    @pytest.mark.parametrize("log", [False, True])
    @pytest.mark.parametrize(
        ("low", "high"), [(0, 0), (2, 2), (1e-7, 1e-7), (1.29999, 1.3), (0, 1e30), (-3, -2), (5, 5e3)]
    )
    def test_any_losses_get_a_range_with_ticks(self, low: float, high: float, log: bool) -> None:
        loss_range = fitted(None, low, high, log)
        assert loss_range.bottom < loss_range.top
        assert loss_range.ticks(5)
        assert np.isfinite(loss_range.dot_heights(np.array([loss_range.bottom, loss_range.top]), 40)).all()

    def test_a_log_axis_has_round_ticks_too(self) -> None:
        assert LossRange(1, 5, log=True).ticks(5) == [1, 1.2, 1.5, 2, 2.5, 3, 4, 5]


class WatchedChart(LossChart):
    """Remembers what it repaints."""

    def __init__(self) -> None:
        super().__init__(live_seconds=0)
        self.repainted: list[tuple[Region, ...]] = []

    def refresh(self, *regions: Region, **options: bool) -> "WatchedChart":
        self.repainted.append(regions)
        return super().refresh(*regions, **options)


class ChartApp(App[None]):
    def __init__(self, chart: LossChart) -> None:
        super().__init__()
        self.chart = chart
        self.crosshairs: list[int | None] = []

    def compose(self) -> ComposeResult:
        yield self.chart
        yield Input()

    def on_loss_chart_crosshair_moved(self, message: LossChart.CrosshairMoved) -> None:
        self.crosshairs.append(message.step)

    def row(self, y: int) -> str:
        return self.chart.render_line(y).text.rstrip()


@asynccontextmanager
async def shown_chart(
    points: int = 2000, size: tuple[int, int] = (100, 33)
) -> AsyncIterator[tuple[ChartApp, Pilot[None]]]:
    """A focused chart, three rows of input below it."""
    app = ChartApp(WatchedChart())
    async with app.run_test(size=size) as pilot:
        curves = falling(points)
        if points:
            app.chart.add_losses(curves.train.steps, curves.train.losses)
            app.chart.add_validations(curves.validation.steps, curves.validation.losses)
        app.chart.focus()
        await pilot.pause()
        yield app, pilot


class TestWidget:
    async def test_points_appear_when_they_are_added(self) -> None:
        async with shown_chart(points=0) as (app, pilot):
            assert any("no losses yet" in app.row(y) for y in range(30))
            app.chart.add_losses([1, 2], [4.0, 3.5])
            await pilot.pause()
            assert "train 3.500" in app.row(0)

    async def test_points_added_before_the_chart_is_shown_are_not_lost(self) -> None:
        chart = LossChart()
        chart.add_losses([1, 2], [4.0, 3.5])
        app = ChartApp(chart)
        async with app.run_test() as pilot:
            await pilot.pause()
            assert "train 3.500" in app.row(0)

    async def test_a_new_point_repaints_only_the_rows_it_changes(self) -> None:
        async with shown_chart(points=1600) as (app, pilot):
            app.chart.repainted.clear()
            app.chart.add_losses([1601], [1.32])
            await pilot.pause()
            (regions,) = app.chart.repainted
            assert {region.height for region in regions} == {1}
            assert 1 <= len(regions) <= 4
            assert regions[0].y == 0

    async def test_a_point_that_changes_nothing_repaints_nothing(self) -> None:
        async with shown_chart(points=0) as (app, pilot):
            app.chart.curves.smooth(0)
            app.chart.add_losses(range(1, 1604), np.full(1603, 2.0))
            await pilot.pause()
            app.chart.repainted.clear()
            app.chart.add_losses([1604], [2.0])
            await pilot.pause()
            assert app.chart.repainted == []

    async def test_additions_in_one_go_are_drawn_once(self) -> None:
        async with shown_chart(points=1600) as (app, pilot):
            app.chart.repainted.clear()
            for step in range(1601, 1621):
                app.chart.add_losses([step], [1.32])
                app.chart.add_validations([step], [1.45])
            await pilot.pause()
            assert len(app.chart.repainted) == 1

    async def test_points_are_drawn_no_more_often_than_asked(self) -> None:
        chart = LossChart(live_seconds=3600)
        app = ChartApp(chart)
        async with app.run_test() as pilot:
            chart.add_losses([1], [4.0])
            await pilot.pause()
            chart.add_losses([2], [3.5])
            await pilot.pause()
            assert "train 4.000" in app.row(0)
            await pilot.press("tab")  # what a key changes is drawn at once, and the newest points with it
            await pilot.pause()
            assert "train 3.500" in app.row(0)

    async def test_focus_shows_without_colour(self) -> None:
        async with shown_chart() as (app, pilot):
            assert app.row(0).startswith("▸")
            assert {app.row(y)[5] for y in range(1, 28)} == {"┃", "┨"}
            app.query_one(Input).focus()
            await pilot.pause()
            assert app.row(0).startswith(" loss")
            assert {app.row(y)[5] for y in range(1, 28)} == {"│", "┤"}

    async def test_l_turns_the_loss_axis_logarithmic_and_back(self) -> None:
        async with shown_chart() as (app, pilot):
            await pilot.press("l")
            assert "nats/char log" in app.row(0)
            await pilot.press("l")
            assert "log" not in app.row(0)

    async def test_the_crosshair_starts_at_the_newest_loss_and_moves_by_keys(self) -> None:
        async with shown_chart() as (app, pilot):
            await pilot.press("v", "left", "left", "right", "v")
            assert app.crosshairs[0] == 2000
            assert app.crosshairs[-1] is None
            first, second, third = (step for step in app.crosshairs[1:-1] if step is not None)
            assert second < first < 2000
            assert abs(third - first) <= 2

    async def test_a_click_sets_the_crosshair(self) -> None:
        async with shown_chart() as (app, pilot):
            await pilot.click(LossChart, offset=(53, 10))
            await pilot.pause()
            assert app.crosshairs == [1011]
            assert app.row(0).startswith(" 1,011 ")

    async def test_a_click_beside_the_plot_sets_nothing(self) -> None:
        async with shown_chart() as (app, pilot):
            await pilot.click(LossChart, offset=(2, 10))
            await pilot.pause()
            assert app.crosshairs == []

    async def test_zoom_pan_follow_and_reset(self) -> None:
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

    async def test_zooming_in_and_out_again_shows_the_same(self) -> None:
        async with shown_chart() as (app, pilot):
            whole = app.row(29)
            await pilot.press("plus", "plus", "minus", "minus")
            assert app.row(29) == whole

    async def test_the_crosshair_takes_the_window_along(self) -> None:
        async with shown_chart() as (app, pilot):
            await pilot.press("v", *["plus"] * 4)
            for _ in range(120):
                app.chart.action_move(-1)
            await pilot.pause()
            step = app.crosshairs[-1]
            assert step is not None
            assert f"{step:,}" in app.row(29)

    async def test_e_cycles_the_smoothing_and_can_turn_it_off(self) -> None:
        async with shown_chart() as (app, pilot):
            shown = []
            for _ in range(5):
                words = app.row(0).split()
                shown.append(words[words.index("━") + 2] if "━" in words else "off")
                await pilot.press("e")
            assert shown == ["0.9", "0.98", "0.995", "off", "0.9"]

    async def test_clear_forgets_everything_but_the_smoothing(self) -> None:
        async with shown_chart() as (app, pilot):
            await pilot.press("e", "v")
            app.chart.set_overlay("anna-2", [1, 2], [3, 2])
            app.chart.add_tick(3, "lr")
            app.chart.clear()
            await pilot.pause()
            assert app.crosshairs[-1] is None
            assert any("no losses yet" in app.row(y) for y in range(30))
            app.chart.add_losses([1, 2], [4.0, 3.5])
            await pilot.pause()
            assert "0.98" in app.row(0)

    async def test_overlays_come_and_go(self) -> None:
        async with shown_chart() as (app, pilot):
            app.chart.set_overlay("anna-2", [1, 2000], [3.0, 2.0])
            await pilot.pause()
            assert "a anna-2 2.000" in app.row(0)
            app.chart.remove_overlay("anna-2")
            await pilot.pause()
            assert "anna-2" not in app.row(0)

    async def test_an_overlay_alone_is_drawn(self) -> None:
        async with shown_chart(points=0) as (app, pilot):
            app.chart.set_overlay("anna-2", range(10, 2000, 10), np.linspace(3, 2, 199))
            await pilot.press("v", "left")
            assert "anna-2" in app.row(0)
            assert app.crosshairs == []

    async def test_the_total_ends_the_axis(self) -> None:
        async with shown_chart(points=2100) as (app, pilot):
            assert app.row(29).split()[-1] == "3k"
            app.chart.total_steps = 2500
            await pilot.pause()
            assert app.row(29).split()[-1] == "2.5k"

    async def test_the_chart_survives_every_resize_and_key(self) -> None:
        async with shown_chart(points=300) as (app, pilot):
            for width, height in ((1, 1), (20, 7), (300, 100), (80, 24)):
                await pilot.resize_terminal(width, height)
                await pilot.press("v", "left", "plus", "right", "v", "left", "minus", "l", "e", "f", "0")
                assert app.chart.size.width <= width
            assert "train" in app.row(0)

    async def test_the_whole_application_can_lose_its_colours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        async with shown_chart(points=300) as (app, pilot):
            app.chart.add_losses([301], [1.4])
            await pilot.pause()
            raw = next(segment for y in range(30) for segment in app.chart.render_line(y) if "⣿" in segment.text)
            assert raw.style is not None
            assert raw.style.dim
