"""A widget that shows chart cells on the Line API and repaints only those that changed."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from charrnn_tui.tui.chart.cells import ChartCells, Ink


class ChartCanvas(Widget):
    """Subclasses draw; the canvas decides when, compares with what is on the screen, and gives inks their styles."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chart--{ink.name.lower()}" for ink in Ink if ink is not Ink.TEXT}

    def __init__(self) -> None:
        super().__init__()
        self._cells: ChartCells | None = None
        self._redraw_asked = False
        self._ink_styles: dict[Ink, Style] = {}

    def draw_cells(self, width: int, height: int) -> ChartCells:
        raise NotImplementedError

    def request_redraw(self) -> None:
        """Redraw once, after the messages that are being handled now."""
        if not self._redraw_asked and self.is_mounted:
            self._redraw_asked = True
            self.call_next(self._redraw)

    def _redraw(self) -> None:
        """Draw again and repaint the cells that differ from what is on the screen."""
        self._redraw_asked = False
        before, self._cells = self._cells, self.draw_cells(*self.size)
        if before is None or before.size != self._cells.size:
            self.refresh()
        elif changes := self._cells.changes_since(before):
            self.refresh(*(Region(first, row, last - first + 1, 1) for row, first, last in changes))

    def render_line(self, y: int) -> Strip:
        cells = self._cells
        if cells is None or cells.size != self.size:
            cells = self._cells = self.draw_cells(*self.size)
        segments = [Segment(text, self._style_of(ink)) for text, ink in cells.runs(y)]
        return Strip(segments, cells.width)

    def _style_of(self, ink: Ink) -> Style:
        if ink not in self._ink_styles:
            names = () if ink is Ink.TEXT else (f"chart--{ink.name.lower()}",)
            reverse = Style(reverse=ink is Ink.READOUT)  # visual styles lose `text-style: reverse`
            self._ink_styles[ink] = self.get_visual_style(*names).rich_style + reverse
        return self._ink_styles[ink]

    def notify_style_update(self) -> None:
        self._ink_styles.clear()
        super().notify_style_update()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.request_redraw()
