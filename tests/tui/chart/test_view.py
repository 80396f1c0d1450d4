"""The picture of a run's losses, row by row."""

from typing import Any

import numpy as np
import pytest

from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart import braille
from charrnn_tui.tui.chart.axes import (
    StepWindow,
)
from charrnn_tui.tui.chart.cells import ChartCells
from charrnn_tui.tui.chart.series import LossCurves
from charrnn_tui.tui.chart.view import ChartView, DrawnChart, draw_chart
from tests.tui.chart.falling_losses import add_losses, add_validations, falling, falling_run, run_of


def draw(curves: LossCurves, width: int, height: int, end: int = 2000, **view: Any) -> DrawnChart:
    return draw_chart(curves, ChartView(width, height, StepWindow(0, end), **view), None)


def rows_of(cells: ChartCells) -> list[str]:
    return [cells.row_text(row) for row in range(cells.height)]


def rows(curves: LossCurves, width: int, height: int, end: int = 2000, **view: Any) -> list[str]:
    return [row.rstrip() for row in rows_of(draw(curves, width, height, end, **view).cells)]


def test_a_tiny_chart_is_all_curve_and_last_loss() -> None:
    assert rows(falling(), 20, 4) == [
        "↑⣄             1.404",
        " ⠈⢧⡀",
        "  ⠙⠙⠲⣀⡀",
        "    ⠈⠙⠛⠷⠉⠓⠒⠒⠒⣤⣤⣤⠒⠒⠒★",
    ]


def test_a_small_chart_has_axes_and_a_terse_legend() -> None:
    assert rows(falling(), 32, 8) == [
        " loss ⣿ 1.404 ━ 1.309 ┅ 1.404",
        "  4.0┤↑⡀",
        "     │ ⠹⣄",
        "     │  ⠘⣆",
        "     │   ⠈⠳⣄⡀",
        "  2.0┤     ⠙⠻⢶⠦⠤⣄⣀⣀⡀",
        "     │        ⠈⠉⠙⠛⠛⠛⠻⠶⠉⠉⠉⠉⠉⠶⠶⠶⠉★",
        "      0           1k          2k",
    ]


def test_a_chart_of_60_columns_names_the_unit() -> None:
    assert rows(falling(), 60, 14) == [
        " loss ⣿ 1.404 ━ 1.309 ┅ 1.404 ★ 1.404 nats/char",
        "  4.0┤↑↑⡀",
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
        (80, " loss  ⣿ train 1.404  ━ smooth 1.309  ┅ val 1.404  ★ 1.404  nats/char"),
        (120, " loss  ⣿ train 1.404  ━ smooth 0.9 1.309  ┅ val 1.404  ★ best 1.404 @ 2k  nats/char"),
    ],
)
def test_a_wider_chart_says_more(width: int, legend: str) -> None:
    found = rows(falling(), width, 30)
    assert found[0] == legend
    assert [row[2:5] for row in found if row[5:6] == "┤"] == ["4.0", "3.5", "3.0", "2.5", "2.0", "1.5", "1.0"]


@pytest.mark.parametrize("empty", [LossCurves.of(RunProgress()), falling(0)])
def test_without_losses_a_hint_stands_in_the_middle(empty: LossCurves) -> None:
    assert rows(empty, 21, 5) == ["", "", "    no losses yet", "", ""]


def test_losses_that_are_all_nan_are_said_to_be() -> None:
    curves = LossCurves.of(run_of([1, 2], [np.nan, np.inf]))
    assert rows(curves, 24, 3)[1].strip() == "no finite loss yet"


def test_nan_leaves_a_gap_in_all_that_is_drawn() -> None:
    losses = np.full(200, 2.0)
    losses[100:120] = np.nan
    curves = LossCurves.of(run_of(np.arange(200), losses))
    drawn = draw(curves, 100, 1, end=200)
    assert [index for index, character in enumerate(drawn.cells.row_text(0)[:90]) if character == " "] == [
        *range(50, 60)
    ]


def test_a_last_loss_that_is_nan_is_shown_as_such() -> None:
    run = falling_run()
    add_losses(run, [2001], [np.nan])
    curves = LossCurves.of(run)
    assert "train nan" in rows(curves, 80, 24)[0]


def test_overlays_carry_a_letter_on_the_curve_and_in_the_legend() -> None:
    curves = LossCurves.of(falling_run(), overlays={"anna-2": falling_run()})
    found = rows(curves, 120, 20)
    assert "a anna-2 1.404" in found[0]
    assert any("a" in row[6:] for row in found[1:-2])


def test_an_intervention_stands_above_the_axis_with_its_label() -> None:
    run = falling_run()
    run.ticks.append((1000, "lr 0.0005"))
    curves = LossCurves.of(run)
    *_, marks, axis, labels = rows(curves, 80, 24)
    assert marks[6 + 37 :].startswith("▲lr 0.0005")
    assert set(axis.strip()) == {"└", "─", "┬"}
    assert labels.split() == ["0", "500", "1k", "1.5k", "2k"]


def test_the_words_of_the_last_intervention_stand_before_it() -> None:
    run = falling_run()
    run.ticks += [(100, "a long label " * 6), (1990, "saved")]
    assert rows(LossCurves.of(run), 80, 24)[-3].split() == ["▲", "saved▲"]


def test_marks_never_cover_each_other() -> None:
    run = falling_run()
    add_validations(run, [2001], [1.0])  # the best one, in the same cell as the end of a run beside
    curves = LossCurves.of(run, overlays={"same": run_of([1, 2001], [4.0, 1.0])})
    assert "★" in "".join(rows(curves, 80, 24, end=2001)[1:])


def test_names_cannot_smuggle_escape_sequences_or_wide_characters() -> None:
    curves = LossCurves.of(falling_run(), overlays={"\x1b[31m猫": falling_run()})
    row = rows(curves, 140, 20)[0]
    assert "\x1b" not in row
    assert "␛[31m·" in row


def test_the_first_losses_are_clipped_with_a_mark_at_the_top_edge() -> None:
    drawn = draw(falling(), 80, 24)
    assert drawn.loss_range is not None
    assert drawn.loss_range.top < 4.3
    assert drawn.cells.row_text(1)[6] == "↑"


def test_the_first_screenful_shows_all_losses() -> None:
    drawn = draw(falling(300), 80, 24, end=300)
    assert drawn.loss_range is not None
    assert drawn.loss_range.top > 4.3
    assert "↑" not in drawn.cells.row_text(1)


def test_a_late_rise_is_never_clipped() -> None:
    run = falling_run()
    add_losses(run, np.arange(2001, 2021), np.full(20, 9.0))
    drawn = draw(LossCurves.of(run), 80, 24, end=2020)
    assert drawn.loss_range is not None
    assert drawn.loss_range.top > 7  # the mean of the smoothed losses in the last column


def test_a_log_axis_covers_everything_and_skips_what_has_no_logarithm() -> None:
    run = falling_run()
    add_losses(run, [2001, 2002], [0.0, -1.0])
    drawn = draw(LossCurves.of(run), 80, 24, end=2100, log=True)
    assert drawn.loss_range is not None
    assert drawn.loss_range.bottom > 0
    assert drawn.loss_range.top > 4.3
    assert "log" in drawn.cells.row_text(0)


def test_the_crosshair_reads_nats_and_bits() -> None:
    found = rows(falling(), 120, 24, crosshair=1000)
    assert found[0] == (
        " step 1,000   ⣿ train 1.507 (2.174 bits)  ━ smooth 1.416 (2.042 bits)  ┅ val 1.507 (2.174 bits)  nats/char"
    )
    assert "1,000" in found[-1]
    assert sum("┊" in row for row in found) > 10


def test_every_size_can_be_drawn() -> None:
    run = falling_run(500)
    run.ticks += [(step, "a long label") for step in (0, 10, 499)]
    curves = LossCurves.of(run, overlays={"another": falling_run(800)})
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
    curves = LossCurves.of(run_of(steps, losses), smoothing=0)
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
    blank, clipped = found == ord(" "), found == ord("↑")
    assert clipped[1:].sum() == 0
    assert (clipped[0] == (tops < 0).reshape(-1, 2).any(axis=1)).all()
    found[blank] = braille.BRAILLE
    assert (found[~clipped] == expected[~clipped]).all()


def test_baselines_are_lines_with_names_and_the_validation_says_when_it_passes_them() -> None:
    curves = LossCurves.of(falling_run(), baselines={"1-gram": 3.0, "2-gram": 2.2, "3-gram": 1.45, "4-gram": 1.0})
    legend, *plot = rows(curves, 100, 24)
    assert "┈ 4-gram 1.000" in legend
    for label in ("1-gram 3.000", "2-gram 2.200", "3-gram 1.450", "4-gram 1.000"):
        assert any(f" {label} " in row and "┈┈" in row for row in plot)
    steps, losses = curves.validation.steps, curves.validation.losses
    assert curves.interventions == [
        (int(steps[np.flatnonzero(losses < loss)[0]]), f"passes the {name}")
        for name, loss in [("1-gram", 3.0), ("2-gram", 2.2), ("3-gram", 1.45)]
    ]
    assert "passes the 3-gram" in plot[-3]


def test_a_validation_that_passes_several_baselines_names_the_lowest() -> None:
    curves = LossCurves.of(falling_run(), baselines={"1-gram": 9.0, "2-gram": 8.0, "3-gram": 0.5})
    assert curves.interventions == [(100, "passes the 2-gram")]


def test_a_baseline_covers_no_curve_and_leaves_its_neighbour_out() -> None:
    run = falling_run()
    plain = draw(LossCurves.of(run, baselines={"low": 0.8}), 80, 24)
    drawn = draw(LossCurves.of(run, baselines={"low": 0.8, "near": 0.81, "high": 1.3}), 80, 24)
    assert not any("near" in row for row in rows_of(drawn.cells)[1:])
    box = drawn.box
    for row in range(box.row, box.row + box.rows):
        for column, before in enumerate(plain.cells.row_text(row)):
            if before != " ":
                assert drawn.cells.row_text(row)[column] == before


def test_the_best_baseline_is_in_sight() -> None:
    drawn = draw(LossCurves.of(falling_run(), baselines={"low": 0.3}), 80, 24)
    assert drawn.loss_range is not None
    assert drawn.loss_range.bottom <= 0.3
