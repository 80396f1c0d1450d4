"""A widget of styled rows that repaints no more than what has changed."""

from itertools import takewhile, zip_longest

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

Row = list[tuple[str, str]]  # (component, text) pairs; component: `drawn-rows--` and this name, or "" for none


def components(*names: str) -> set[str]:
    """The component classes of these names. Each costs time whenever the widget is styled."""
    return {f"drawn-rows--{name}" for name in names}


class DrawnRows(Widget):
    """A subclass names its COMPONENT_CLASSES, returns the rows, and calls `redraw` when they may have changed."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn: list[Row] = []
        self._drawn_size = Size(0, 0)

    def rows(self) -> list[Row]:
        """The rows as they should be now, at the present size."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Repaint each row from the first part on that has changed."""
        before, self._drawn, self._drawn_size = self._drawn, self.rows(), self.size
        for y, (old, new) in enumerate(zip_longest(before, self._drawn, fillvalue=Row())):
            if old != new:
                same = takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))
                left = sum(cell_len(text) for (_, text), _ in same)
                self.refresh(Region(left, y, max(0, self.size.width - left), 1))

    def render_line(self, y: int) -> Strip:
        if self._drawn_size != self.size:  # Textual paints a new size before it sends the event
            self._drawn, self._drawn_size = self.rows(), self.size
        segments = [
            Segment(text, self.get_component_rich_style(f"drawn-rows--{name}") if name else self.rich_style)
            for name, text in (self._drawn[y] if y < len(self._drawn) else [])
        ]
        return Strip(segments).crop_extend(0, self.size.width, self.rich_style)
