"""A scrolling page on a wrapped text that may grow: where it stands, what must be painted again."""

from math import ceil
from typing import ClassVar, Final

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size, clamp
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar

from charrnn_tui.tui.textview.wrapping import WrappedText

_NARROW: Final = 8  # columns that are all needed for text


class WrappedView(ScrollView, inherit_bindings=False):
    """Scrolls with wheel and keys, follows the end only from the end, and repaints no more than what changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('up')", "Up", show=False, id="text.up"),
        Binding("down", "move('down')", "Down", show=False, id="text.down"),
        Binding("pageup", "move('pageup')", "Page up", show=False, id="text.pageup"),
        Binding("pagedown", "move('pagedown')", "Page down", show=False, id="text.pagedown"),
        Binding("home", "move('home')", "Start", show=False, id="text.home"),
        Binding("end", "move('end')", "End, and follow", show=False, id="text.end"),
    ]
    DEFAULT_CSS = """
    WrappedView {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size: 1 1;
        scrollbar-background: transparent;  /* no bar beside a text that fits */
    }
    """

    # As the widget's own, but without laying out the screen and repainting all of us for every row that is added.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows = WrappedText()
        self._rows.append(text)
        self._following = True
        self._thumb: tuple[bool, int, int] | None = None

    @property
    def text(self) -> str:
        """The characters as they were given."""
        return self._rows.text()

    @property
    def length(self) -> int:
        return self._rows.length

    @property
    def following(self) -> bool:
        """Whether the view stays at the end when text is added: it does until one scrolls up."""
        return self._following

    @property
    def page(self) -> Size:
        """The cells that show text.

        A column between them and the scrollbar stays empty: Textual sends what borders on a repainted region along.
        """
        width, height = self.scrollable_content_region.size
        return Size(width - 1 if width > _NARROW else width, height)

    def append(self, text: str) -> None:
        """Add text at the end, at constant cost per character."""
        if not text:
            return
        rows = self._rows
        length, end, row_count = rows.length, rows.end, rows.row_count
        touched = rows.append(text)
        if not self.is_attached:
            return
        if rows.row_count != row_count:
            self._row_count_changed()
        if length:
            self._refresh_cells(end.row, 0 if touched < length else end.column, end.column + 1)
            self.refresh_characters(touched, rows.length)
        else:
            self.refresh()  # takes away what an empty view shows

    def clear(self) -> None:
        """Take away the text; following starts anew."""
        self._rows.clear()
        self._following = True
        if self.is_attached:
            self._row_count_changed()
            self.refresh()

    def refresh_characters(self, start: int, end: int) -> None:
        """Repaint the characters [start, end); with the last one also the cell behind it."""
        end = min(end, self.length)
        if start > end or not self.is_attached:
            return
        first, last = self._rows.locate(start), self._rows.locate(end)
        behind = 1 if end == self.length else 0
        top = self.scroll_offset.y
        for row in range(max(first.row, top), min(last.row + 1, top + self.page.height)):
            left = first.column if row == first.row else 0
            self._refresh_cells(row, left, last.column + behind if row == last.row else self.page.width)

    def show_row(self, top: float) -> None:
        """Scroll a row to the top, at once: over a slow line an animation is a dozen pages for one."""
        self.scroll_to(y=clamp(top, 0, self.max_scroll_y), animate=False, force=True)
        self._following = self.scroll_y >= self.max_scroll_y

    def watch_virtual_size(self) -> None:
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self._following = new_value >= self.max_scroll_y
        if round(old_value) != round(new_value):
            self.refresh(self.page.region)
        self._update_scrollbar()

    def on_resize(self) -> None:
        """Wrap to the new width, staying at the end or at the character that was first on the page."""
        if not self.page:
            return
        following, top = self._following, min(self.scroll_offset.y, self._rows.row_count - 1)
        first, _ = self._rows.row_span(top)
        self._rows.resize(self.page.width)
        self._thumb = None
        self._following = following
        self._row_count_changed()
        if not following:
            self.show_row(self._rows.locate(first).row)
        self.refresh()

    def action_move(self, where: str) -> None:
        """Scroll; where nothing can scroll, the key is left to others."""
        top, height = self.scroll_offset.y, self.page.height
        tops = {"up": top - 1, "down": top + 1, "pageup": top - height, "pagedown": top + height, "home": 0}
        tops["end"] = self.max_scroll_y
        if where not in tops or not self.max_scroll_y:
            raise SkipAction
        self.show_row(tops[where])

    def _update_scrollbar(self) -> None:
        """Repaint the scrollbar only where its thumb moved: otherwise it is a quarter of what a page costs."""
        bar, window, rows = self.vertical_scrollbar, self.page.height, self.virtual_size.height
        bar.set_reactive(ScrollBar.window_virtual_size, rows)
        bar.set_reactive(ScrollBar.position, self.scroll_y)
        length = max(1.0, window * window / max(1, rows))
        start = (window - length) * self.scroll_y / max(1, rows - window)
        drawn = (rows > window, int(8 * start), ceil(8 * length))  # in eighths of a cell, as Textual draws it
        if drawn != self._thumb:
            self._thumb = drawn
            bar.refresh()

    def _row_count_changed(self) -> None:
        following = self._following
        self.virtual_size = Size(self._rows.width, self._rows.row_count)
        if following:
            self.show_row(self.max_scroll_y)
        self._update_scrollbar()

    def _refresh_cells(self, row: int, left: int, right: int) -> None:
        region = Region(left, row - self.scroll_offset.y, max(0, right - left), 1)
        # The block of a full row stands in the empty column beside the page.
        if region := region.intersection(self.scrollable_content_region.size.region):
            self.refresh(region)
