"""The loss of a model over how many characters it has seen, as a curve."""

import numpy as np

from charrnn_tui.playground.model_studies import MemoryFound
from charrnn_tui.tui.chart import braille
from charrnn_tui.tui.chart.axes import fitted
from charrnn_tui.tui.chart.canvas import ChartCanvas
from charrnn_tui.tui.chart.cells import ChartCells, Ink
from charrnn_tui.tui.chart.plot import BASELINE_MARK, PlotBox
from charrnn_tui.tui.chart.view import GUTTER, Layout, loss_axis

POINT = "●"


class MemoryCurve(ChartCanvas, can_focus=True):
    """From left to right twice as many characters, down the loss in nats/char; below them the figures."""

    def __init__(self, found: MemoryFound) -> None:
        super().__init__()
        self._found = found
        self._losses = np.array([found.whole + each.difference for each in found.contexts])
        self._names = [f"{each.context:,}" for each in found.contexts]

    def draw_cells(self, width: int, height: int) -> ChartCells:
        cells, box = ChartCells(width, height), PlotBox(1, GUTTER, height - 3, width - GUTTER)
        whole = self._found.whole
        title = f" nats/char over characters seen  {BASELINE_MARK} {whole:.3f} with all before"
        cells.write(0, 0, title, Ink.TITLE)
        if box.rows < 1 or box.columns < len(self._names) or not self._names:
            return cells
        loss_range = fitted(None, min(whole, *self._losses), max(whole, *self._losses), log=False)
        loss_axis(cells, Layout(box, marks=False, axis_rows=2), loss_range, self.has_focus)
        places = (np.arange(len(self._names)) + 0.5) * box.dot_columns / len(self._names)
        dots = np.arange(box.dot_columns)
        line = np.interp(dots, places, self._losses, left=np.nan, right=np.nan)
        heights = loss_range.dot_heights(line, box.dot_rows)
        cells.paint(box.row, box.column, braille.to_cells(braille.line(heights, box.dot_rows, 2)), Ink.SMOOTHED)
        rows = loss_range.dot_heights(np.append(self._losses, whole), box.dot_rows) // braille.DOTS_DOWN
        for name, loss, place, row in zip(self._names, self._losses.tolist(), places.tolist(), rows, strict=False):
            column = box.column + int(place // braille.DOTS_ACROSS)
            cells.write(box.row + int(row), column, POINT, Ink.VALIDATION)
            for below, label, ink in ((2, name, Ink.AXIS), (1, f"{loss:.2f}", Ink.TEXT)):
                start = min(column - len(label) // 2, width - len(label))
                if cells.is_blank(height - below, start - 1, len(label) + 2):
                    cells.write(height - below, start, label, ink)
        cells.draw_level(box.row + int(rows[-1]), box.column, "", BASELINE_MARK, Ink.BASELINE)
        return cells
