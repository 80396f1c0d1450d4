"""Curves sampled to dot columns, and drawn into the cells of a plot."""

import math
from dataclasses import dataclass, field

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
BEST_MARK, CLIP_MARK, VALIDATION_MARK, BASELINE_MARK = "★", "↑", "○", "┈"
BASELINE_DISTANCE = 2  # rows from one baseline to the next


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
    least_baseline: float | None = None
    """Its loss."""

    @classmethod
    def sample(cls, curves: LossCurves, window: StepWindow, dot_columns: int) -> "SampledCurves":
        train = curves.train.columns(window.edges(dot_columns))
        return cls(
            train,
            line_heights(curves.train, window, dot_columns) if train.points.sum() <= SCREENFUL * dot_columns else None,
            line_heights(curves.smoothed, window, dot_columns),
            line_heights(curves.validation, window, dot_columns),
            tuple(line_heights(series, window, dot_columns) for series in curves.overlays.values()),
            None if curves.best_baseline is None else curves.best_baseline[1],
        )

    def needed_range(self, whole: bool = False) -> tuple[float, float] | None:
        """Lowest and highest loss worth showing, None without any.

        The least baseline is shown: it is what the losses are to fall below. The first screenful is shown whole. After
        that the first losses of a run (ln of the alphabet, three times what it ends at) and single spikes may leave the
        picture; a later rise of the lines never does.
        """
        whole = whole or self.train_line is not None
        lines = [line[~np.isnan(line)] for line in (self.smoothed, self.validation, *self.overlays)]
        late = lines if whole else [line[int(len(line) * EARLY) :] for line in lines]
        raw_low, raw_high = (ends[~np.isnan(ends)] for ends in (self.train.low, self.train.high))
        if len(raw_low) and not whole:
            raw_low = np.percentile(raw_low, [100 - SPIKE_PERCENTILE])
            raw_high = np.percentile(raw_high, [SPIKE_PERCENTILE])
        lows, highs = np.concatenate([*lines, raw_low]), np.concatenate([*late, raw_high])
        if not len(lows):
            return None
        low = float(lows.min())
        return low if self.least_baseline is None else min(low, self.least_baseline), float(highs.max())


def line_heights(series: LossSeries, window: StepWindow, dot_columns: int) -> Heights:
    """The series as one value per dot column: the mean of its points, or a straight line between them; NaN at gaps."""
    first, last = points_in(series, window)
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
        return np.full(dot_columns, np.nan)
    line = np.interp(np.arange(dot_columns), positions, values, left=np.nan, right=np.nan)
    inside = (positions >= 0) & (positions < dot_columns)
    line[positions[inside].astype(np.int64)] = values[inside]
    return np.asarray(line)


@dataclass(frozen=True)
class Plot:
    """Draws into the cells of a chart that the curves are given. A mark that would cover another one is left out."""

    cells: ChartCells
    box: PlotBox
    window: StepWindow
    loss_range: LossRange
    _marked: set[tuple[int, int]] = field(default_factory=set)

    def draw(self, curves: LossCurves, sampled: SampledCurves) -> None:
        """From the back to the front: raw losses, other runs, smoothed, validation; marks, the important ones first."""
        dot_rows = self.box.dot_rows
        raw = braille.strokes(self._heights(sampled.train.high), self._heights(sampled.train.low), dot_rows)
        if sampled.train_line is not None:
            raw |= self._line(sampled.train_line)
        self._paint(raw, Ink.RAW)
        for overlay in sampled.overlays:
            self._paint(braille.dashed(self._line(overlay), *DOTTED), Ink.OVERLAY)
        self._paint(self._line(sampled.smoothed, thickness=2), Ink.SMOOTHED)
        self._paint(braille.dashed(self._line(sampled.validation), *DASH), Ink.VALIDATION)
        self._mark_validations(curves.validation)
        for index, overlay in enumerate(sampled.overlays):
            self._letter(self._heights(overlay), overlay_letter(index))
        self._mark_clipped(self._heights(sampled.train.high))
        self._draw_baselines(curves)

    def _heights(self, losses: npt.NDArray[np.floating]) -> Heights:
        return self.loss_range.dot_heights(losses, self.box.dot_rows)

    def _line(self, losses: Heights, thickness: int = 1) -> braille.Dots:
        return braille.line(self._heights(losses), self.box.dot_rows, thickness)

    def _paint(self, dots: braille.Dots, ink: Ink) -> None:
        self.cells.paint(self.box.row, self.box.column, braille.to_cells(dots), ink)

    def _mark(self, height: float, column: int, mark: str, ink: Ink, label: str = "") -> None:
        """Set a mark at a height in dots, if there is no other; the label below it, if nothing is there."""
        if math.isnan(height):
            return
        box, row = self.box, int(np.clip(height // braille.DOTS_DOWN, 0, self.box.rows - 1))
        if (row, column) not in self._marked:
            self._marked.add((row, column))
            self.cells.write(box.row + row, box.column + column, mark, ink)
        start = min(max(0, column - len(label) // 2), box.columns - len(label))
        for below in (row + 1, row + 2):
            if below < box.rows and self.cells.is_blank(box.row + below, box.column + start - 1, len(label) + 1):
                self.cells.write(box.row + below, box.column + start, label, ink)
                return

    def _mark_validations(self, validation: LossSeries) -> None:
        """The best one, with its value, and the others where there is room for them."""
        first, last = points_in(validation, self.window)
        heights = self._heights(validation.losses[first:last])
        columns = [self.window.column_of(step, self.box.columns) for step in validation.steps[first:last].tolist()]
        places = list(zip(heights.tolist(), columns, strict=True))
        if validation.lowest is not None and first <= validation.lowest < last:
            best = validation.lowest
            self._mark(*places[best - first], BEST_MARK, Ink.BEST, f"{validation.losses[best]:.3f}")
        if len(places) * MARKER_DISTANCE <= self.box.columns:
            for height, column in places:
                self._mark(height, column, VALIDATION_MARK, Ink.VALIDATION)

    def _letter(self, heights: Heights, letter: str) -> None:
        """Letters along another run's line, one of them at its end."""
        inked = np.flatnonzero(~np.isnan(heights)) // braille.DOTS_ACROSS
        if not len(inked):
            return
        for column in {*range(int(inked[0]) + LETTER_DISTANCE // 2, int(inked[-1]), LETTER_DISTANCE), int(inked[-1])}:
            left, right = heights[2 * column : 2 * column + 2].tolist()
            self._mark(right if math.isnan(left) else left, column, letter, Ink.OVERLAY)

    def _draw_baselines(self, curves: LossCurves) -> None:
        """A line each through what is blank, named where there is room; the lowest first, and none too near to it."""
        box, taken = self.box, list[int]()
        for name, loss in sorted(curves.baselines.items(), key=lambda each: each[1]):
            row = int(self._heights(np.array([loss]))[0] // braille.DOTS_DOWN)
            if not 0 <= row < box.rows or any(abs(row - other) < BASELINE_DISTANCE for other in taken):
                continue
            taken.append(row)
            self.cells.draw_level(box.row + row, box.column, f" {name} {loss:.3f} ", BASELINE_MARK, Ink.BASELINE)

    def _mark_clipped(self, highs: Heights) -> None:
        """An arrow at the top edge of every column whose losses go on above it."""
        above = np.flatnonzero((highs < 0).reshape(self.box.columns, braille.DOTS_ACROSS).any(axis=1))
        for column in above.tolist():
            self._mark(0, column, CLIP_MARK, Ink.RAW)


def overlay_letter(index: int) -> str:
    return chr(ord("a") + index % 26)


def points_in(series: LossSeries, window: StepWindow) -> tuple[int, int]:
    """Index of the first point in the window, and of the first behind it."""
    first, last = np.searchsorted(series.steps, [int(window.start), int(window.end) + 1]).tolist()
    return first, last
