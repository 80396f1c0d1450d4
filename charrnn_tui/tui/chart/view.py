"""Draws a loss chart: takes a frozen view, returns a grid of characters. No widget, no colours."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from charrnn_tui.tui.chart.axes import LossRange, StepWindow, fitted, nice_step, round_ticks, step_label
from charrnn_tui.tui.chart.cells import ChartCells, Ink
from charrnn_tui.tui.chart.legend import legend_row, readout_row
from charrnn_tui.tui.chart.plot import Plot, PlotBox, SampledCurves
from charrnn_tui.tui.chart.series import LossCurves

GUTTER = 6  # five characters of label and the axis
HINT = "no losses yet"
NO_FINITE_LOSS = "no finite loss yet"
TICK_EVERY_ROWS, TICK_EVERY_COLUMNS = 4, 14


@dataclass(frozen=True)
class ChartView:
    """How to look at the curves."""

    width: int
    height: int
    window: StepWindow
    log: bool = False
    follows: bool = True
    focused: bool = False
    crosshair: float | None = None
    """A step."""


@dataclass(frozen=True)
class Layout:
    """What there is room for. Above the box is the row of the legend, to its left the loss axis, unless it begins at 0.

    marks: whether there is a row below it for what happened to the run. axis_rows: labels, above them perhaps a line.
    """

    box: PlotBox
    marks: bool
    axis_rows: int

    @classmethod
    def of(cls, view: ChartView, marks: bool) -> "Layout":
        width, height = view.width, view.height
        legend = (height >= 6 and width >= 24) or (view.crosshair is not None and height >= 2)
        gutter = GUTTER if width >= 32 and height >= 5 else 0
        axis_rows = 0 if width < 24 or height < 5 else 1 if height < 12 else 2
        marks = marks and height >= 8
        return cls(PlotBox(legend, gutter, height - legend - marks - axis_rows, width - gutter), marks, axis_rows)


@dataclass(frozen=True)
class DrawnChart:
    cells: ChartCells
    loss_range: LossRange | None
    """Hand it to the next drawing: the axis stays until the losses leave it."""
    box: PlotBox


def draw_chart(curves: LossCurves, view: ChartView, loss_range: LossRange | None) -> DrawnChart:
    """Draw the curves; `loss_range` is that of the drawing before."""
    cells = ChartCells(view.width, view.height)
    marks = [(step, label) for step, label in curves.interventions if view.window.start <= step <= view.window.end]
    layout = Layout.of(view, marks=bool(marks))
    box = layout.box
    if box.rows < 1 or box.columns < 1:
        return DrawnChart(cells, loss_range, box)
    sampled = SampledCurves.sample(curves, view.window, box.dot_columns)
    needed = sampled.needed_range(whole=view.log)  # a logarithm crushes nothing
    if needed is not None:
        loss_range = fitted(loss_range, *needed, view.log)
    if curves.is_empty or loss_range is None:
        _hint(cells, HINT if curves.is_empty else NO_FINITE_LOSS)
        return DrawnChart(cells, None, box)
    loss_axis(cells, layout, loss_range, view.focused)
    Plot(cells, box, view.window, loss_range).draw(curves, sampled)
    if view.crosshair is not None:
        _crosshair(cells, layout, view, view.crosshair)
    _step_axis(cells, layout, view)
    if layout.marks:
        _interventions(cells, layout, marks, view.window)
    _top_row(cells, layout, curves, view)
    return DrawnChart(cells, loss_range, box)


def _hint(cells: ChartCells, text: str) -> None:
    text = text if len(text) <= cells.width else "…"[: cells.width]
    cells.write((cells.height - 1) // 2, (cells.width - len(text)) // 2, text, Ink.HINT)


def loss_axis(cells: ChartCells, layout: Layout, loss_range: LossRange, focused: bool) -> None:
    """Ticks and the line to the left of the box, if there is room for them."""
    if not layout.box.column:
        return
    box = layout.box
    ticks = loss_range.ticks(max(2, box.rows // TICK_EVERY_ROWS))
    rows = loss_range.dot_heights(np.array(ticks), box.rows)
    line, mark = "┃┨" if focused else "│┤"
    for row in range(box.rows):
        cells.write(box.row + row, box.column - 1, line, Ink.AXIS)
    taken = -2
    decimals = max((len(f"{tick:.3f}".rstrip("0").partition(".")[2]) for tick in ticks), default=0)
    for tick, height in sorted(zip(ticks, rows.tolist(), strict=True), key=lambda pair: pair[1]):
        row = min(int(height), box.rows - 1)
        if row < 0 or (row - taken < 2 and taken >= 0):
            continue
        taken = row
        cells.write(box.row + row, 0, f"{tick:.{max(1, decimals)}f}"[:5].rjust(5), Ink.AXIS)
        cells.write(box.row + row, box.column - 1, mark, Ink.AXIS)


def _step_axis(cells: ChartCells, layout: Layout, view: ChartView) -> None:
    if not layout.axis_rows:
        return
    box, window = layout.box, view.window
    labels = view.height - 1
    corner, along, mark = "┗━┯" if view.focused else "└─┬"
    if layout.axis_rows == 2:
        cells.write(labels - 1, box.column - 1, corner + along * box.columns, Ink.AXIS)
    step = max(1.0, nice_step(window.span, max(2, box.columns // TICK_EVERY_COLUMNS)))
    for tick in round_ticks(window.start, window.end, max(1, round(window.span / step))):
        column = min(box.columns - 1, window.column_of(tick, box.columns))
        label = step_label(round(tick, 6))
        start = max(0, min(box.column + column - len(label) // 2, cells.width - len(label)))
        if layout.axis_rows == 2 and tick > window.start:
            cells.write(labels - 1, box.column + column, mark, Ink.AXIS)
        if cells.is_blank(labels, start - 2, len(label) + 4):
            cells.write(labels, start, label, Ink.AXIS)


def _interventions(cells: ChartCells, layout: Layout, marks: list[tuple[int, str]], window: StepWindow) -> None:
    """A ▲ where something happened to the run, and what, if there is room up to the next one or, at the end, before."""
    box = layout.box
    labels: dict[int, list[str]] = {}
    for step, label in marks:
        labels.setdefault(window.column_of(step, box.columns), []).append(label)
    free_from = 0
    for column, following in pairwise([*labels, box.columns + 1]):
        words = " · ".join(labels[column])
        start, text = column, f"▲{words} "
        if column + len(text) > following:
            start, text = column - len(words), f"{words}▲"
        if start < free_from:
            start, text = column, "▲"
        cells.write(box.row + box.rows, box.column + start, text, Ink.INTERVENTION)
        free_from = start + len(text)


def _crosshair(cells: ChartCells, layout: Layout, view: ChartView, step: float) -> None:
    """A line through what is blank, and its step in the row of the labels."""
    box = layout.box
    column = view.window.column_of(step, box.columns)
    if not 0 <= column < box.columns:
        return
    for row in range(box.row, box.row + box.rows):
        if cells.is_blank(row, box.column + column, 1):
            cells.write(row, box.column + column, "┊", Ink.CROSSHAIR)
    if layout.axis_rows:
        text = f" {step:,.0f} "
        start = max(0, min(box.column + column - len(text) // 2, cells.width - len(text)))
        cells.write(view.height - 1, start, text, Ink.READOUT)


def _top_row(cells: ChartCells, layout: Layout, curves: LossCurves, view: ChartView) -> None:
    if not layout.box.row:
        if len(curves.train) and view.width >= 10:
            text = f"{curves.train.losses[-1]:.3f}"
            cells.write(0, view.width - len(text), text, Ink.TEXT)
        return
    column = 0
    for text, ink in (
        legend_row(curves, view.width, view.log, view.follows, view.focused)
        if view.crosshair is None
        else readout_row(curves, view.crosshair, view.width)
    ):
        cells.write(0, column, text, ink)
        column += len(text)
