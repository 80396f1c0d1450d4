"""What a loss chart looks like: a frozen view in, a grid of characters out. No widget, no colours."""

from dataclasses import dataclass

import numpy as np

from charrnn_tui.tui.chart.axes import LossRange, StepWindow, fitted, nice_step, round_ticks, step_label
from charrnn_tui.tui.chart.cells import ChartCells, Ink
from charrnn_tui.tui.chart.legend import legend_row, readout_row
from charrnn_tui.tui.chart.plot import PlotBox, SampledCurves, draw_curves, mark_validations
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
    """What there is room for."""

    legend: bool
    gutter: int
    axis_rows: int
    box: PlotBox

    @classmethod
    def of(cls, view: ChartView) -> "Layout":
        width, height = view.width, view.height
        legend = (height >= 6 and width >= 24) or (view.crosshair is not None and height >= 2)
        gutter = GUTTER if width >= 32 and height >= 5 else 0
        axis_rows = 0 if width < 24 or height < 5 else 1 if height < 12 else 2
        top = int(legend)
        return cls(legend, gutter, axis_rows, PlotBox(top, gutter, height - top - axis_rows, width - gutter))


@dataclass(frozen=True)
class DrawnChart:
    cells: ChartCells
    loss_range: LossRange | None
    """Hand it to the next drawing: the axis stays until the losses leave it."""
    box: PlotBox


def draw_chart(curves: LossCurves, view: ChartView, loss_range: LossRange | None) -> DrawnChart:
    """Draw the curves; `loss_range` is that of the drawing before."""
    cells = ChartCells(view.width, view.height)
    layout = Layout.of(view)
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
    _loss_axis(cells, layout, loss_range, view.focused)
    draw_curves(cells, box, sampled, loss_range)
    mark_validations(cells, box, curves.validation, view.window, loss_range)
    _step_axis(cells, layout, curves, view)
    if view.crosshair is not None:
        _crosshair(cells, layout, view, view.crosshair)
    _top_row(cells, layout, curves, view)
    return DrawnChart(cells, loss_range, box)


def _hint(cells: ChartCells, text: str) -> None:
    if len(text) > cells.width:
        text = "…"[: cells.width]
    cells.write((cells.height - 1) // 2, (cells.width - len(text)) // 2, text, Ink.HINT)


def _loss_axis(cells: ChartCells, layout: Layout, loss_range: LossRange, focused: bool) -> None:
    if not layout.gutter:
        return
    box = layout.box
    ticks = loss_range.ticks(max(2, box.rows // TICK_EVERY_ROWS))
    rows = loss_range.dot_heights(np.array(ticks), box.rows)
    axis = slice(layout.gutter - 1, layout.gutter)
    cells.fill(slice(box.row, box.row + box.rows), axis, "┃" if focused else "│", Ink.AXIS)
    taken = -2
    decimals = max((len(f"{tick:.3f}".rstrip("0").partition(".")[2]) for tick in ticks), default=0)
    for tick, height in sorted(zip(ticks, rows.tolist(), strict=True), key=lambda pair: pair[1]):
        row = min(int(height), box.rows - 1)
        if row < 0 or (row - taken < 2 and taken >= 0):
            continue
        taken = row
        cells.write(box.row + row, 0, f"{tick:.{max(1, decimals)}f}"[:5].rjust(5), Ink.AXIS)
        cells.write(box.row + row, layout.gutter - 1, "┨" if focused else "┤", Ink.AXIS)


def _step_axis(cells: ChartCells, layout: Layout, curves: LossCurves, view: ChartView) -> None:
    if not layout.axis_rows:
        return
    box, window = layout.box, view.window
    labels = box.row + box.rows + layout.axis_rows - 1
    line = labels - 1 if layout.axis_rows == 2 else None
    if line is not None:
        cells.fill(slice(line, line + 1), slice(box.column, None), "━" if view.focused else "─", Ink.AXIS)
        cells.write(line, layout.gutter - 1, "┗" if view.focused else "└", Ink.AXIS)
    reserved = _crosshair_label(cells, layout, view)
    step = max(1.0, nice_step(window.span, max(2, box.columns // TICK_EVERY_COLUMNS)))
    free_from = 0
    for tick in round_ticks(window.start, window.end, max(1, round(window.span / step))):
        column = min(box.columns - 1, window.column_of(tick, box.columns))
        label = step_label(round(tick, 6))
        start = min(box.column + column - len(label) // 2, cells.width - len(label))
        start = max(0, start)
        if line is not None and tick > window.start:
            cells.write(line, box.column + column, "┯" if view.focused else "┬", Ink.AXIS)
        overlaps = reserved is not None and start <= reserved[1] and start + len(label) >= reserved[0]
        if start >= free_from and not overlaps:
            cells.write(labels, start, label, Ink.AXIS)
            free_from = start + len(label) + 2
    _interventions(cells, line if line is not None else labels, box, curves, window)


def _interventions(cells: ChartCells, row: int, box: PlotBox, curves: LossCurves, window: StepWindow) -> None:
    """A ▲ on the axis, and the labels of all that happened there, up to the next one if there is room for them."""
    labels: dict[int, list[str]] = {}
    for step, label in curves.interventions:
        if window.start <= step <= window.end:
            labels.setdefault(window.column_of(step, box.columns), []).append(label)
    columns, free_from = list(labels), 0
    for column, following in zip(columns, [*columns[1:], box.columns + 1], strict=False):
        words = " · ".join(labels[column])
        text = f"▲{words} "
        if column + len(text) > min(following, box.columns):
            text = "▲"
            if column - len(words) - 1 >= free_from:  # at the right edge, say
                cells.write(row, box.column + column - len(words) - 1, f" {words}", Ink.INTERVENTION)
        cells.write(row, box.column + column, text, Ink.INTERVENTION)
        free_from = column + len(text)


def _crosshair(cells: ChartCells, layout: Layout, view: ChartView, step: float) -> None:
    box = layout.box
    column = view.window.column_of(step, box.columns)
    if not 0 <= column < box.columns:
        return
    for row in range(box.row, box.row + box.rows):
        if cells.is_blank(row, box.column + column, 1):
            cells.write(row, box.column + column, "┊", Ink.CROSSHAIR)


def _crosshair_label(cells: ChartCells, layout: Layout, view: ChartView) -> tuple[int, int] | None:
    """Write the crosshair's step among the labels of the step axis; the cells from … to that it takes."""
    box = layout.box
    if view.crosshair is None:
        return None
    column = view.window.column_of(view.crosshair, box.columns)
    if not 0 <= column < box.columns:
        return None
    text = f" {view.crosshair:,.0f} "
    start = max(0, min(box.column + column - len(text) // 2, cells.width - len(text)))
    cells.write(box.row + box.rows + layout.axis_rows - 1, start, text, Ink.READOUT)
    return start, start + len(text)


def _top_row(cells: ChartCells, layout: Layout, curves: LossCurves, view: ChartView) -> None:
    if not layout.legend:
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
