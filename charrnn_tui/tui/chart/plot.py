"""Curves sampled to dot columns, and drawn into the cells of a plot."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from charrnn_tui.tui.chart import braille
from charrnn_tui.tui.chart.axes import LossRange, StepWindow
from charrnn_tui.tui.chart.cells import ChartCells, Ink
from charrnn_tui.tui.chart.series import Columns, LossCurves, LossSeries

Heights = npt.NDArray[np.float64]

DASH = (16, 10)  # validation: five cells inked, three blank
DOTTED = (2, 1)  # overlays
MARKER_DISTANCE = 6  # cells: validations further apart than this get a marker each
LETTER_DISTANCE = 24  # cells between the letters along an overlay
SCREENFUL = 4  # points a dot column: more than that are an envelope, no longer a line
EARLY = 0.05  # the share of the picture whose losses may leave it at the top
SPIKE_PERCENTILE = 97.0
BEST_MARK, CLIP_MARK, VALIDATION_MARK = "★", "▲", "○"


@dataclass(frozen=True)
class PlotBox:
    """Where in a chart's cells the curves go."""

    row: int
    column: int
    rows: int
    columns: int

    @property
    def dot_rows(self) -> int:
        return self.rows * braille.DOTS_DOWN

    @property
    def dot_columns(self) -> int:
        return self.columns * braille.DOTS_ACROSS


@dataclass(frozen=True)
class SampledCurves:
    """The curves at a window's dot columns; each line has shape (dot columns,), NaN where there is none."""

    train: Columns
    train_line: Heights | None
    """Joins the raw losses of the first screenful, which would be loose dots without."""
    smoothed: Heights
    validation: Heights
    overlays: tuple[Heights, ...]

    @classmethod
    def sample(cls, curves: LossCurves, window: StepWindow, dot_columns: int) -> "SampledCurves":
        train = curves.train.columns(window.edges(dot_columns))
        return cls(
            train,
            line_heights(curves.train, window, dot_columns) if train.points.sum() <= SCREENFUL * dot_columns else None,
            line_heights(curves.smoothed, window, dot_columns),
            line_heights(curves.validation, window, dot_columns),
            tuple(line_heights(series, window, dot_columns) for series in curves.overlays.values()),
        )

    def needed_range(self, whole: bool = False) -> tuple[float, float] | None:
        """Lowest and highest loss worth showing, None without any.

        The first screenful is shown whole. After that the first losses of a run (ln of the alphabet, three times what
        it ends at) and single spikes may leave the picture; a later rise of the lines never does.
        """
        whole = whole or self.train_line is not None
        lines = [line[~np.isnan(line)] for line in (self.smoothed, self.validation, *self.overlays)]
        late = lines if whole else [line[int(len(line) * EARLY) :] for line in lines]
        raw_low, raw_high = (ends[~np.isnan(ends)] for ends in (self.train.low, self.train.high))
        if len(raw_low) and not whole:
            raw_low = np.percentile(raw_low, [100 - SPIKE_PERCENTILE])
            raw_high = np.percentile(raw_high, [SPIKE_PERCENTILE])
        lows, highs = np.concatenate([*lines, raw_low]), np.concatenate([*late, raw_high])
        return (float(lows.min()), float(highs.max())) if len(lows) else None


def line_heights(series: LossSeries, window: StepWindow, dot_columns: int) -> Heights:
    """The series as one value per dot column: the mean of its points, or a straight line between them; NaN at gaps."""
    nothing = np.full(dot_columns, np.nan)
    first, last = (int(index) for index in np.searchsorted(series.steps, [int(window.start), int(window.end) + 1]))
    if last - first > dot_columns:
        columns = series.columns(window.edges(dot_columns))
        nodes = np.flatnonzero(columns.points)
        positions, values = nodes.astype(np.float64), columns.mean[nodes].astype(np.float64)
    else:
        around = slice(max(0, first - 1), last + 1)
        scale = dot_columns / window.span
        positions = np.floor((series.steps[around] - window.start) * scale)
        positions = np.where(series.steps[around] == window.end, dot_columns - 1, positions)
        values = series.losses[around].astype(np.float64)
    if not len(positions):
        return nothing
    line = np.interp(np.arange(dot_columns), positions, values, left=np.nan, right=np.nan)
    inside = (positions >= 0) & (positions < dot_columns)
    line[positions[inside].astype(np.int64)] = values[inside]
    return np.asarray(line)


def draw_curves(cells: ChartCells, box: PlotBox, sampled: SampledCurves, loss_range: LossRange) -> None:
    """From the back to the front: raw losses, other runs, smoothed, validation, letters and marks."""

    def heights(values: npt.NDArray[np.floating]) -> Heights:
        return loss_range.dot_heights(values, box.dot_rows)

    raw = braille.strokes(heights(sampled.train.high), heights(sampled.train.low), box.dot_rows)
    if sampled.train_line is not None:
        raw |= braille.line(heights(sampled.train_line), box.dot_rows)
    cells.paint(box.row, box.column, braille.to_cells(raw), Ink.RAW)
    for overlay in sampled.overlays:
        dots = braille.dashed(braille.line(heights(overlay), box.dot_rows), *DOTTED)
        cells.paint(box.row, box.column, braille.to_cells(dots), Ink.OVERLAY)
    smoothed = braille.to_cells(braille.line(heights(sampled.smoothed), box.dot_rows, thickness=2))
    cells.paint(box.row, box.column, smoothed, Ink.SMOOTHED)
    validation = braille.to_cells(braille.dashed(braille.line(heights(sampled.validation), box.dot_rows), *DASH))
    cells.paint(box.row, box.column, validation, Ink.VALIDATION)
    for index, overlay in enumerate(sampled.overlays):
        _letter(cells, box, heights(overlay), overlay_letter(index))
    _mark_clipped(cells, box, heights(sampled.train.high))


def overlay_letter(index: int) -> str:
    return chr(ord("a") + index % 26)


def mark_validations(
    cells: ChartCells, box: PlotBox, validation: LossSeries, window: StepWindow, loss_range: LossRange
) -> None:
    """Markers at the single validations where there is room for them, and the best one, with its value."""
    first, last = (int(index) for index in np.searchsorted(validation.steps, [int(window.start), int(window.end) + 1]))
    if 0 < (last - first) * MARKER_DISTANCE <= box.columns:
        for index in range(first, last):
            _mark(cells, box, validation, index, window, loss_range, VALIDATION_MARK, Ink.VALIDATION)
    if validation.lowest is not None and first <= validation.lowest < last:
        place = _mark(cells, box, validation, validation.lowest, window, loss_range, BEST_MARK, Ink.BEST)
        if place is not None:
            _label(cells, box, place, f"{validation.losses[validation.lowest]:.3f}")


def _mark(
    cells: ChartCells,
    box: PlotBox,
    series: LossSeries,
    index: int,
    window: StepWindow,
    loss_range: LossRange,
    mark: str,
    ink: Ink,
) -> tuple[int, int] | None:
    """Where in the plot the mark was set; None for a gap."""
    height = loss_range.dot_heights(series.losses[index : index + 1], box.dot_rows)[0]
    if not np.isfinite(height):
        return None
    row = int(np.clip(height // braille.DOTS_DOWN, 0, box.rows - 1))
    column = window.column_of(float(series.steps[index]), box.columns)
    cells.write(box.row + row, box.column + column, mark, ink)
    return row, column


def _label(cells: ChartCells, box: PlotBox, place: tuple[int, int], text: str) -> None:
    """Write the text below or above the place if nothing else is there."""
    row, column = place
    start = min(max(0, column - len(text) // 2), box.columns - len(text))
    for below in (1, 2):
        if row + below < box.rows and cells.is_blank(box.row + row + below, box.column + start - 1, len(text) + 1):
            cells.write(box.row + row + below, box.column + start, text, Ink.BEST)
            return


def _letter(cells: ChartCells, box: PlotBox, heights: Heights, letter: str) -> None:
    inked = np.flatnonzero(~np.isnan(heights)) // braille.DOTS_ACROSS
    if not len(inked):
        return
    for column in {*range(int(inked[0]) + LETTER_DISTANCE // 2, int(inked[-1]), LETTER_DISTANCE), int(inked[-1])}:
        height = heights[column * 2] if not np.isnan(heights[column * 2]) else heights[column * 2 + 1]
        if not np.isnan(height):
            row = int(np.clip(height // braille.DOTS_DOWN, 0, box.rows - 1))
            cells.write(box.row + row, box.column + column, letter, Ink.OVERLAY)


def _mark_clipped(cells: ChartCells, box: PlotBox, highs: Heights) -> None:
    """An arrow at the top edge of every column whose losses go on above it."""
    above = np.flatnonzero((highs < 0).reshape(box.columns, braille.DOTS_ACROSS).any(axis=1))
    for column in above.tolist():
        cells.write(box.row, box.column + column, CLIP_MARK, Ink.RAW)
