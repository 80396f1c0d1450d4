"""The text view: prime and generated text, marks, a cursor on a character, classes that colour them."""

import textwrap
from bisect import insort
from collections.abc import Iterator, Sequence
from math import ceil
from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.actions import SkipAction
from textual.filter import LineFilter
from textual.geometry import Region, Size, clamp
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.selection import Selection
from textual.strip import Strip

from charrnn_tui.playground.branches import Mark
from charrnn_tui.text.byte_text import joined
from charrnn_tui.tui.ascii_filter import filters_of_texts
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.textview import painter
from charrnn_tui.tui.textview.painter import ColourClasses, Decoration, Palette, offset_of, paint_row, position_drawn_at
from charrnn_tui.tui.textview.wrapping import WrappedText

_NARROW: Final = 8  # columns that are all needed for text


class TextView(ScrollView, inherit_bindings=False):
    """A wrapped text that may grow: follows its end until one scrolls up, repaints no more than what changed.

    With `show_cursor` the keys that scroll move a character cursor instead, and a click sets it.
    """

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("up", "move('up')", "Up", "A row up.", "text.up"),
        Key("down", "move('down')", "Down", "A row down.", "text.down"),
        Key("left", "move('left')", "Back", "The cursor to the character before.", "text.left"),
        Key("right", "move('right')", "Forward", "The cursor to the next character.", "text.right"),
        Key("pageup", "move('pageup')", "Page up", "A page up.", "text.pageup"),
        Key("pagedown", "move('pagedown')", "Page down", "A page down.", "text.pagedown"),
        Key("home", "move('home')", "Start", "To the start.", "text.home"),
        Key("end", "move('end')", "End", "To the end; new text is followed.", "text.end"),
        Key("v", "select", "Select", "Select from the cursor to where it is moved; or nothing.", "text.select"),
    )
    BINDINGS = bindings_of(KEYS)
    COMPONENT_CLASSES: ClassVar[set[str]] = {*painter.COMPONENTS}

    # As the widget's own, but without laying out the screen and repainting all of us for every row that is added.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)
    busy: Reactive[bool] = reactive(False, repaint=False)
    """Whether more is being written: a block stands at the end."""
    cursor: Reactive[int | None] = reactive(None, repaint=False)
    """The character under the cursor; kept inside the text."""
    show_cursor: Reactive[bool] = reactive(False)
    prime_length: Reactive[int] = reactive(0)
    """How many characters at the start are the prime."""
    colour_classes: Reactive[ColourClasses | None] = reactive(None)
    """Gives the characters [start, end) a class each, 0 … 9, or one below 0 for none."""

    class CursorMoved(Message):
        """The cursor has moved to another character."""

    def __init__(self, *, placeholder: str = "", id: str | None = None, of_user: bool = True) -> None:
        """placeholder: shown while there is no text. of_user: whether the text is the user's or a model's, not ours."""
        super().__init__(id=id)
        self._of_user = of_user
        self._placeholder = placeholder
        self._rows = WrappedText()
        self.following = True  # staying at the end when text is added, until one scrolls up
        self._thumb: tuple[bool, int, int] | None = None
        self.marks: list[Mark] = []  # in the order of the text
        self._goal_column = 0  # where the cursor would like to be when it changes rows
        self._anchor: int | None = None  # the character from which the cursor selects
        self._palette = Palette(self)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return filters_of_texts(super().get_line_filters()) if self._of_user else super().get_line_filters()

    @property
    def text(self) -> str:
        """The characters as they were given."""
        return self._rows.text()

    @property
    def length(self) -> int:
        return self._rows.length

    @property
    def text_area_size(self) -> Size:
        """The cells that show text.

        A column between them and the scrollbar stays empty: Textual sends what borders on a repainted region along.
        """
        width, height = self.scrollable_content_region.size
        return Size(width - 1 if width > _NARROW else width, height)

    def set_text(self, text: str, *, prime_length: int = 0) -> None:
        """Show another text, from its end on; marks and cursor go with the old one."""
        self.clear()
        self.prime_length = prime_length
        self._append(text)

    def append(self, text: str) -> None:
        """Add text at the end, at constant cost per character. A cursor that is shown comes with the first ones."""
        self._append(text)
        if self.show_cursor and self.cursor is None and self.length:
            self.cursor = 0

    def clear(self) -> None:
        """Remove the text with its marks and its cursor; following starts again."""
        self._rows.clear()
        self.marks.clear()
        self.following = True
        self.prime_length = 0
        self._anchor = None
        self.cursor = None
        if self.is_attached:
            self._row_count_changed()
            self.refresh()

    def add_mark(self, position: int, label: str) -> None:
        """Mark a character, also one that is still to come, without moving any."""
        insort(self.marks, Mark(position, label))
        self.refresh_characters(position, position + 1)

    def refresh_characters(self, start: int, end: int) -> None:
        """Repaint the characters [start, end); with the last one also the cell behind it."""
        end = min(end, self.length)
        if start > end or not self.is_attached:
            return
        first, last = self._rows.locate(start), self._rows.locate(end)
        behind = 1 if end == self.length else 0
        top = self.scroll_offset.y
        for row in range(max(first.row, top), min(last.row + 1, top + self.text_area_size.height)):
            left = first.column if row == first.row else 0
            self._refresh_cells(row, left, last.column + behind if row == last.row else self.text_area_size.width)

    def show_row(self, top: float) -> None:
        """Scroll a row to the top, at once: over a slow line an animation is a dozen pages for one."""
        self.scroll_to(y=clamp(top, 0, self.max_scroll_y), animate=False, force=True)
        self.following = self.scroll_y >= self.max_scroll_y

    # -- rows and scrolling --------------------------------------------------------------------------------------------

    def _append(self, text: str) -> None:
        if not text:
            return
        rows = self._rows
        length, end, row_count = rows.length, rows.locate(rows.length), rows.row_count
        page = self.scrollable_content_region.size.region
        block = Region(end.column, end.row - self.scroll_offset.y, 1, 1).intersection(page)
        touched = rows.append(text)
        if not self.is_attached:
            return
        if rows.row_count != row_count:
            self._row_count_changed()
            if block:  # of a full row: it stood beside the cells that are repainted
                self.refresh(block)
        if length:
            self._refresh_cells(end.row, 0 if touched < length else end.column, end.column + 1)
            self.refresh_characters(touched, rows.length)
        else:
            self.refresh()  # takes away what an empty view shows

    def watch_virtual_size(self) -> None:
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self.following = new_value >= self.max_scroll_y
        if round(old_value) != round(new_value):
            self.refresh(self.text_area_size.region)
        self._update_scrollbar()

    def on_resize(self) -> None:
        """Wrap to the new width, staying at the end or at the character that was first on the page."""
        if not self.text_area_size:
            return
        following, top = self.following, min(self.scroll_offset.y, self._rows.row_count - 1)
        first, _ = self._rows.row_span(top)
        self._rows.resize(self.text_area_size.width)
        self._thumb = None
        self.following = following
        self._row_count_changed()
        if not following:
            self.show_row(self._rows.locate(first).row)
        self.refresh()

    def _update_scrollbar(self) -> None:
        """Repaint the scrollbar only where its thumb moved: otherwise it is a quarter of what a page costs."""
        bar, window, rows = self.vertical_scrollbar, self.text_area_size.height, self.virtual_size.height
        bar.set_reactive(ScrollBar.window_virtual_size, rows)
        bar.set_reactive(ScrollBar.position, self.scroll_y)
        length = max(1.0, window * window / max(1, rows))
        start = (window - length) * self.scroll_y / max(1, rows - window)
        drawn = (rows > window, int(8 * start), ceil(8 * length))  # in eighths of a cell, as Textual draws it
        if drawn != self._thumb:
            self._thumb = drawn
            bar.refresh()

    def _row_count_changed(self) -> None:
        following = self.following
        self.virtual_size = Size(self._rows.width, self._rows.row_count)
        if following:
            self.show_row(self.max_scroll_y)
        self._update_scrollbar()

    def _refresh_cells(self, row: int, left: int, right: int) -> None:
        region = Region(left, row - self.scroll_offset.y, max(0, right - left), 1)
        # The block of a full row stands in the empty column beside the page.
        if region := region.intersection(self.scrollable_content_region.size.region):
            self.refresh(region)

    # -- cursor and selection ------------------------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        self._palette.clear()
        super().notify_style_update()

    def watch_busy(self) -> None:
        if self.length:
            self.refresh_characters(self.length, self.length)
        else:
            self.refresh()  # the block stands where the placeholder was

    def watch_show_cursor(self, show_cursor: bool) -> None:
        if show_cursor and self.cursor is None and self.length:
            last_row = min(self.scroll_offset.y + max(1, self.text_area_size.height), self._rows.row_count) - 1
            self.cursor = self._rows.row_span(last_row)[1] - 1

    def validate_cursor(self, cursor: int | None) -> int | None:
        return None if cursor is None or not self.length else clamp(cursor, 0, self.length - 1)

    def watch_cursor(self, before: int | None, cursor: int | None) -> None:
        for position in (before, cursor):
            if position is not None and self.show_cursor:
                self.refresh_characters(position, position + 1)
        if cursor is None:
            return
        row, top, height = self._rows.locate(cursor).row, self.scroll_offset.y, self.text_area_size.height
        if self.is_attached and height and not top <= row < top + height:
            self.show_row(row if row < top else row - height + 1)
        if self._anchor is not None:
            self._select()
        self.post_message(self.CursorMoved())

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._anchor = None  # the mouse selects for itself
        offset = event.get_content_offset(self)
        if self.show_cursor and self.length and offset is not None:
            row = min(offset.y + self.scroll_offset.y, self._rows.row_count - 1)
            self._put_cursor(self._rows.position_at(row, offset.x))

    def action_move(self, where: str) -> None:
        """Move the cursor, or scroll where there is no cursor; where nothing can scroll, the key is left to others."""
        height = self.text_area_size.height
        rows = {"up": -1, "down": 1, "pageup": -height, "pagedown": height}
        if self.show_cursor and self.cursor is not None:
            positions = {"left": self.cursor - 1, "right": self.cursor + 1, "home": 0, "end": self.length - 1}
            if where in positions:
                self._put_cursor(positions[where])
            else:
                row = clamp(self._rows.locate(self.cursor).row + rows[where], 0, self._rows.row_count - 1)
                self.cursor = self._rows.position_at(row, self._goal_column)
        elif where in ("left", "right") or not self.max_scroll_y:
            raise SkipAction
        else:
            tops = {"home": 0, "end": self.max_scroll_y}
            self.show_row(tops[where] if where in tops else self.scroll_offset.y + rows[where])

    def action_select(self) -> None:
        """Select from the cursor on, or nothing; without a cursor the key is left to others."""
        if not self.show_cursor or self.cursor is None:
            raise SkipAction
        self._anchor = self.cursor if self._anchor is None else None
        self._select()

    def _select(self) -> None:
        """The characters from the anchor to the cursor, both included."""
        if self._anchor is None or self.cursor is None:
            self.screen.selections = {}
            return
        ends = min(self._anchor, self.cursor), max(self._anchor, self.cursor) + 1
        self.screen.selections = {self: Selection(*(offset_of(self._rows, end) for end in ends))}

    def _put_cursor(self, position: int) -> None:
        self.cursor = position
        if self.cursor is not None:
            self._goal_column = self._rows.locate(self.cursor).column

    @property
    def selected(self) -> tuple[int, int] | None:
        """The characters [start, end) that are selected, if any are."""
        span = (0, 0) if self.text_selection is None else self._span(self.text_selection)
        return span if span[0] < span[1] else None

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The raw characters of a selection."""
        return joined(self._rows.text(*self._span(selection))), "\n"

    def _span(self, selection: Selection) -> tuple[int, int]:
        start = 0 if selection.start is None else position_drawn_at(self._rows, selection.start)
        end = self.length if selection.end is None else position_drawn_at(self._rows, selection.end)
        return start, end

    # -- drawing -------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        strip = Strip(self._segments(row)).crop_extend(0, width, self._palette.style((painter.PLAIN,)))
        return strip.simplify().apply_offsets(0, row)  # neighbours of one style cost one escape sequence

    def painted_rows(self) -> Iterator[list[Segment]]:
        """Every row, as it is on the screen or would be, without cursor and selection."""
        decoration = Decoration(self.prime_length, self.colour_classes, self.marks)
        for row in range(self._rows.row_count):
            yield paint_row(self._rows, row, decoration, self._palette)

    def _segments(self, row: int) -> list[Segment]:
        if not self.length and not self.busy:
            lines = textwrap.wrap(self._placeholder, max(1, self.text_area_size.width))[row : row + 1]
            return [Segment(line, self._palette.style((painter.PLACEHOLDER,))) for line in lines]
        if row >= self._rows.row_count:
            return []
        cursor = self.cursor if self.show_cursor else None
        decoration = Decoration(self.prime_length, self.colour_classes, self.marks, cursor, self.text_selection)
        segments = paint_row(self._rows, row, decoration, self._palette)
        if self.busy and row == self._rows.row_count - 1:
            segments.append(Segment(painter.BLOCK, self._palette.style((painter.BUSY,))))
        return segments
