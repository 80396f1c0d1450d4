"""The text view: prime and generated text, marks, a cursor that stands on characters, classes that colour them."""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import clamp
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.selection import Selection
from textual.strip import Strip

from charrnn_tui.playground.branches import Mark
from charrnn_tui.tui.textview import row_painter
from charrnn_tui.tui.textview.row_painter import ClassesOf, Decoration, Palette, paint_row, position_drawn_at
from charrnn_tui.tui.textview.visible import visible
from charrnn_tui.tui.textview.wrapped_view import WrappedView
from charrnn_tui.tui.textview.wrapping import WrappedText


class TextView(WrappedView):
    """A text that a model writes.

    With `show_cursor` the keys that scroll move a character cursor instead, and a click sets it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move('left')", "Back", show=False, id="text.left"),
        Binding("right", "move('right')", "Forward", show=False, id="text.right"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        row_painter.PRIME,
        row_painter.MARK,
        row_painter.CURSOR,
        row_painter.BUSY,
        row_painter.PLACEHOLDER,
        *row_painter.CLASSES,
    }
    # Every distinction has a second channel beside its colour. The classes are steps of one scale.
    DEFAULT_CSS = """
    TextView {
        color: $text;
        & > .text-view--prime { color: $text-primary; text-style: bold; }
        & > .text-view--mark { color: $text-accent; text-style: reverse underline; }
        & > .text-view--cursor { color: $text-primary; text-style: reverse bold; }
        & > .text-view--busy { color: $text-accent; }
        & > .text-view--placeholder { color: $text-muted; text-style: dim; }
        & > .text-view--class-0 { color: $text-muted; text-style: dim; }
        & > .text-view--class-1 { color: $text; }
        & > .text-view--class-2 { color: $text-success; text-style: bold; }
        & > .text-view--class-3 { color: $text-secondary; text-style: underline; }
        & > .text-view--class-4 { color: $text-warning; text-style: bold underline; }
        & > .text-view--class-5 { color: $text-error; text-style: reverse; }
    }
    """

    busy: Reactive[bool] = reactive(False, repaint=False)
    """Whether more is being written: a block stands at the end."""
    cursor: Reactive[int | None] = reactive(None, repaint=False)
    """The character under the cursor; kept inside the text."""
    show_cursor: Reactive[bool] = reactive(False)
    prime_length: Reactive[int] = reactive(0)
    """How many characters at the start are the prime."""
    style_of: Reactive[ClassesOf | None] = reactive(None)
    """Gives the characters [start, end) a class each, 0 … 5, or one below 0 for none."""
    placeholder: Reactive[str] = reactive("")
    """What is shown while there is no text."""

    @dataclass
    class CursorMoved(Message):
        """The cursor stands on another character."""

        text_view: "TextView"
        position: int

        @property
        def control(self) -> "TextView":
            return self.text_view

    def __init__(
        self, text: str = "", *, placeholder: str = "", id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(text, id=id, classes=classes)
        self._marks: list[Mark] = []
        self._goal_column = 0  # where the cursor would like to be when it changes rows
        self._palette = Palette(self)
        self.set_reactive(TextView.placeholder, placeholder)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """In the order of the text."""
        return tuple(self._marks)

    def set_text(self, text: str, *, prime_length: int = 0) -> None:
        """Show another text, from its end on; marks and cursor go with the old one."""
        self.clear()
        self.prime_length = prime_length
        super().append(text)

    def append(self, text: str) -> None:
        """Add text at the end; the first of a page brings the cursor, where one is wanted."""
        super().append(text)
        if self.show_cursor and self.cursor is None and self.length:
            self.cursor = 0

    def clear(self) -> None:
        """Take away the text with its marks and its cursor; following starts anew."""
        self._marks.clear()
        super().clear()
        self.prime_length = 0
        self.cursor = None

    def add_mark(self, position: int, label: str) -> None:
        """Mark a character, also one that is still to come, without moving any."""
        insort(self._marks, Mark(position, label))
        self.refresh_characters(position, position + 1)

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
            last_row = min(self.scroll_offset.y + max(1, self.page.height), self._rows.row_count) - 1
            self.cursor = self._rows.row_span(last_row)[1] - 1

    def validate_cursor(self, cursor: int | None) -> int | None:
        return None if cursor is None or not self.length else clamp(cursor, 0, self.length - 1)

    def watch_cursor(self, before: int | None, cursor: int | None) -> None:
        for position in (before, cursor):
            if position is not None and self.show_cursor:
                self.refresh_characters(position, position + 1)
        if cursor is None:
            return
        row, top, height = self._rows.locate(cursor).row, self.scroll_offset.y, self.page.height
        if self.is_attached and height and not top <= row < top + height:
            self.show_row(row if row < top else row - height + 1)
        self.post_message(self.CursorMoved(self, cursor))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        offset = event.get_content_offset(self)
        if self.show_cursor and self.length and offset is not None:
            row = min(offset.y + self.scroll_offset.y, self._rows.row_count - 1)
            self._put_cursor(self._rows.position_at(row, offset.x))

    def action_move(self, where: str) -> None:
        """Move the cursor, or the page where there is no cursor."""
        if not self.show_cursor or self.cursor is None:
            super().action_move(where)
            return
        positions = {"left": self.cursor - 1, "right": self.cursor + 1, "home": 0, "end": self.length - 1}
        rows = {"up": -1, "down": 1, "pageup": -self.page.height, "pagedown": self.page.height}
        if where in positions:
            self._put_cursor(positions[where])
        else:
            row = clamp(self._rows.locate(self.cursor).row + rows[where], 0, self._rows.row_count - 1)
            self.cursor = self._rows.position_at(row, self._goal_column)

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
        return self._rows.text(*self._span(selection)), "\n"

    def _span(self, selection: Selection) -> tuple[int, int]:
        start = 0 if selection.start is None else position_drawn_at(self._rows, selection.start)
        end = self.length if selection.end is None else position_drawn_at(self._rows, selection.end)
        return start, end

    def render_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        strip = Strip(self._segments(row)).crop_extend(0, width, self._palette.style((row_painter.PLAIN,)))
        return strip.simplify().apply_offsets(0, row)  # neighbours of one style cost one escape sequence

    def painted_rows(self) -> Iterator[list[Segment]]:
        """Every row, as it is on the screen or would be, without cursor and selection."""
        decoration = Decoration(self.prime_length, self.style_of, self._marks, None, None)
        for row in range(self._rows.row_count):
            yield paint_row(self._rows, row, decoration, self._palette)

    def _segments(self, row: int) -> list[Segment]:
        if not self.length and not self.busy:
            return self._placeholder_segments(row)
        if row >= self._rows.row_count:
            return []
        decoration = Decoration(
            prime_length=self.prime_length,
            classes_of=self.style_of,
            marks=self._marks,
            cursor=self.cursor if self.show_cursor else None,
            selection=self.text_selection,
        )
        segments = paint_row(self._rows, row, decoration, self._palette)
        if self.busy and row == self._rows.row_count - 1:
            segments.append(Segment(row_painter.BLOCK, self._palette.style((row_painter.BUSY,))))
        return segments

    def _placeholder_segments(self, row: int) -> list[Segment]:
        hint = WrappedText(self.page.width)
        hint.append(self.placeholder)
        if row >= hint.row_count:
            return []
        line = visible(hint.text(*hint.row_span(row)).rstrip("\n"))
        return [Segment(line, self._palette.style((row_painter.PLACEHOLDER,)))] if line else []
