"""A text of any characters on several rows, each drawn as a sign, with a cursor and a selection that the mouse sets."""

from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual import events, on
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from charrnn_tui.tui.play.edit_buffer import EditBuffer, Splice
from charrnn_tui.tui.textview.character_symbol import symbol_of
from charrnn_tui.tui.textview.row_painter import PLAIN, Look, Palette
from charrnn_tui.tui.textview.visible import cells_of
from charrnn_tui.tui.textview.wrapped_view import WrappedView

CURSOR_CELL: Final = " "  # behind the text, so that the cursor always has a place
CURSOR: Final = "edited-text--cursor"
SELECTED: Final = "edited-text--selected"
BREAK: Final = "edited-text--break"


def sign(character: str) -> str:
    """As many cells as the character takes when it is wrapped; safe to send to a terminal."""
    if character == " ":
        return character
    symbol = symbol_of(character)
    return symbol + " " * (cells_of(character) - cell_len(symbol))


class EditedText(WrappedView, inherit_bindings=False):
    """The wrapped text is the edited one and, behind it, the cell of a cursor at its end."""

    ALLOW_SELECT = False  # the mouse selects as the keys do
    COMPONENT_CLASSES: ClassVar[set[str]] = {CURSOR, SELECTED, BREAK}
    DEFAULT_CSS = """
    EditedText {
        & > .edited-text--cursor { text-style: reverse; }
        & > .edited-text--selected { background: $primary-muted; text-style: reverse; }
        & > .edited-text--break { color: $text-muted; text-style: dim; }
    }
    """

    @dataclass
    class Changed(Message):
        """The text or, where that is the same, the place of the cursor."""

        text_changed: bool

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(text + CURSOR_CELL, id=id)
        self._buffer = EditBuffer(text)
        self._palette = Palette(self)
        self._goal_column = 0
        self._dragging = False

    @property
    def value(self) -> str:
        """As it was typed, character for character."""
        return self._buffer.text

    def load(self, text: str) -> None:
        """Begin with another text, which cannot be undone."""
        before = len(self.value)
        self._buffer = EditBuffer(text)
        self._apply(Splice(0, before, text))

    def put(self, text: str) -> None:
        """Another text, as if it had been typed."""
        self._apply(self._buffer.replace_all(text))

    @property
    def at_end(self) -> bool:
        """Whether the cursor stands behind the last character, and nothing is selected."""
        return self._buffer.at_end

    def move_to(self, position: int) -> None:
        """Put the cursor before this character."""
        self._move(position)

    def insert(self, text: str, *, typed: bool = False) -> None:
        """At the cursor, in place of what is selected."""
        self._apply(self._buffer.insert(text, typed=typed))

    def _apply(self, splice: Splice | None) -> None:
        if splice is not None:
            self.laid_out_from(self._rows.replace(splice.start, splice.end, splice.text))
            self._goal_column = self._rows.locate(self._buffer.cursor).column
            self.post_message(self.Changed(text_changed=True))

    def laid_out_from(self, row: int) -> None:
        """Rows from this one on have changed."""
        if self.is_attached:
            self._row_count_changed()
            top, size = self.scroll_offset.y, self.scrollable_content_region.size
            first = max(0, row - top)
            self.refresh(Region(0, first, size.width, max(0, size.height - first)))

    def _row_count_changed(self) -> None:
        self.virtual_size = Size(self._rows.width, self._rows.row_count)
        self._show_cursor()
        self._update_scrollbar()

    def _show_cursor(self) -> None:
        """And, from the end, what stands behind it."""
        row, height = self._rows.locate(self._buffer.cursor).row, self.page.height
        last = self._rows.row_count - 1 if self.at_end else row
        top = min(self.scroll_offset.y, max(0, self._rows.row_count - height))
        if height:
            self.show_row(min(max(top, last - height + 1), row))

    @on(events.Resize)
    def rewrap(self, event: events.Resize) -> None:
        """In place of WrappedView's own: what stays in view is the cursor."""
        event.prevent_default()
        if self.page:
            self._rows.resize(self.page.width)
            self._thumb = None
            self._row_count_changed()
            self.refresh()

    def notify_style_update(self) -> None:
        self._palette.clear()
        super().notify_style_update()

    def _move(self, position: int, select: bool = False) -> None:
        before = self._buffer.cursor, self._buffer.anchor
        self._buffer.move(position, select=select)
        self._goal_column = self._rows.locate(self._buffer.cursor).column
        if before != (self._buffer.cursor, self._buffer.anchor):
            self._show_cursor()
            self.refresh()
            self.post_message(self.Changed(text_changed=False))

    # -- mouse --------------------------------------------------------------------------------------------------------

    def _position_under(self, event: events.MouseEvent) -> int:
        offset = event.get_content_offset_capture(self)
        row = offset.y + self.scroll_offset.y
        return self._rows.position_at(min(max(0, row), self._rows.row_count - 1), max(0, offset.x))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragging = True
        self.capture_mouse()
        self._move(self._position_under(event), event.shift)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._move(self._position_under(event), select=True)

    def on_mouse_up(self) -> None:
        self._dragging = False
        self.release_mouse()

    # -- drawing ------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        row, width = self.scroll_offset.y + y, self.scrollable_content_region.width
        segments = self.segments(row) if row < self._rows.row_count else []
        return Strip(segments).crop_extend(0, width, self._palette.style((PLAIN,))).simplify()

    def segments(self, row: int) -> list[Segment]:
        """A row as it is drawn."""
        start, end = self._rows.row_span(row)
        drawn = [
            self.draw(position, character) for position, character in enumerate(self._rows.text(start, end), start)
        ]
        runs = groupby(drawn, key=lambda cell: cell[1])
        return [Segment("".join(glyph for glyph, _ in run), self._palette.style(look)) for look, run in runs]

    def draw(self, position: int, character: str) -> tuple[str, Look]:
        """The sign of a character and how it looks."""
        start, end = self._buffer.selection
        if self.has_focus and position == self._buffer.cursor:
            return sign(character), (PLAIN, CURSOR)
        if start <= position < end:
            return sign(character), (PLAIN, SELECTED)
        return sign(character), (PLAIN, BREAK) if character == "\n" else (PLAIN,)
