"""A text field of several rows for any characters, with a prediction of what follows the text."""

import re
from collections.abc import Collection, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.document._document import EditResult, Location, Selection  # nowhere public
from textual.document._edit import Edit  # nowhere public
from textual.filter import LineFilter
from textual.geometry import Region
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widgets import TextArea

from charrnn_tui.tui.ascii_filter import filters_of_texts
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.play.document_text import LINE_BREAK, raw, signs, stored
from charrnn_tui.tui.text_field import run_bindings

MOST_ROWS: Final = 6
PREDICTION_STARTS, PREDICTION_ENDS = "‹", "›"  # without colours and dimness it must differ from the text, too
UNKNOWN: Final = "prime-input--unknown"
BREAK: Final = "prime-input--break"
PREDICTION: Final = "text-area--suggestion"
_SCREEN_SHARE: Final = 4  # a quarter of a small screen
_HINT: Final = "how the text begins"
_LEFT_OUT: Final = " ... "


class PrimeInput(TextArea, inherit_bindings=False):
    """Grows with its lines while it has the focus, and is one row without it."""

    ALLOW_SELECT = False  # the mouse selects as the keys do
    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("escape", "leave", "Leave field", "Leave the field.", "prime.leave", footer=True),
        Key("enter", "enter", "Start over", "Apply the text at once.", "prime.enter", footer=True),
        Key("f4", "break_line", "Line break", "Insert a line break.", "prime.line_break", footer=True),
        Key("shift+enter,alt+enter", "break_line", "Line break", "Insert a line break.", "prime.line_break_also"),
        Key("tab", "accept", "Accept", "Accept the prediction between ‹ and ›.", "prime.accept"),
        Key("ctrl+right,f7", "accept_word", "Accept a word", "Accept a word of the prediction.", "prime.accept_word"),
        Key("ctrl+home", "move_to_edge(False)", "Start", "Move to the start.", "prime.start"),
        Key("ctrl+end", "move_to_edge(True)", "End", "Move to the end.", "prime.end"),
        Key("ctrl+u", "delete_in_line(False)", "Delete before", "Delete to the line's start.", "prime.delete_before"),
        Key("ctrl+k", "delete_in_line(True)", "Delete behind", "Delete to the line's end.", "prime.delete_behind"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(KEYS),
        *(b for b in TextArea.BINDINGS if isinstance(b, Binding) and b.key not in ("f6", "f7", "ctrl+k")),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {UNKNOWN, BREAK}

    # As TextArea's own, but without repainting all rows at each key.
    selection: Reactive[Selection] = reactive(Selection(), init=False, always_update=True, repaint=False)
    known: Reactive[Collection[str] | None] = reactive(None)
    """The characters that the model can read; the others are marked. None: no model."""
    prediction: Reactive[str] = reactive("", repaint=False)
    """What would most likely follow, drawn behind the text."""

    class Entered(Message):
        """Enter was pressed."""

    class Left(Message):
        """Esc was pressed."""

    def __init__(self, value: str = "") -> None:
        super().__init__(
            stored(value), compact=True, highlight_cursor_line=False, max_checkpoints=200, placeholder=_HINT
        )
        self.cursor_blink = self.match_cursor_bracket = False
        self.cursor_location = self.document.end

    def get_line_filters(self) -> Sequence[LineFilter]:
        return filters_of_texts(super().get_line_filters())

    @property
    def value(self) -> str:
        """The text, character for character as it was given and typed."""
        return raw(self.text)

    @property
    def selected_text(self) -> str:
        """The selected characters."""
        return raw(super().selected_text)

    @property
    def at_end(self) -> bool:
        """Whether the cursor stands behind the last character, and nothing is selected."""
        return self.cursor_at_end_of_text and self.selection.is_empty

    @property
    def _most_rows(self) -> int:
        """How many rows it may take. Of the app's height: a prediction can come when the field has left the screen."""
        return max(1, min(MOST_ROWS, self.app.size.height // _SCREEN_SHARE))

    @property
    def _row_width(self) -> int:
        """Cells of a row, that of a cursor behind its characters included."""
        return self.wrap_width + 1

    @property
    def prediction_room(self) -> int:
        """How many cells behind the text can show a prediction, less its two brackets."""
        column, row = self.wrapped_document.location_to_offset(self.document.end)
        rows = max(1, self._most_rows - row)
        return rows * self._row_width - column - len(PREDICTION_STARTS + PREDICTION_ENDS)

    def load(self, value: str) -> None:
        """Replace the text; this cannot be undone."""
        self.load_text(stored(value))
        self.cursor_location = self.document.end
        self.refresh()

    def put(self, value: str) -> None:
        """Replace the text as if it had been typed."""
        self.replace(value, (0, 0), self.document.end, maintain_selection_offset=False)

    def edit(self, edit: Edit) -> EditResult:
        """Apply an edit, whose text is raw. Of a prediction that it types, the rest stays."""
        typed = edit.text if self.at_end and edit.top == self.document.end else ""
        rest = self.prediction.removeprefix(typed) if typed and self.prediction.startswith(typed) else ""
        edit.text = stored(edit.text)
        first = self._row_of(edit.top) - 1  # a word that has become shorter may fit into the row before
        result = super().edit(edit)
        self.prediction = rest
        self._repaint(first, self._most_rows)
        self.scroll_cursor_visible()  # TextArea did so before it knew how many rows there are
        return result

    def undo(self) -> None:
        super().undo()
        self.refresh()

    def redo(self) -> None:
        super().redo()
        self.refresh()

    # -- keys ---------------------------------------------------------------------------------------------------------

    async def _on_key(self, event: events.Key) -> None:
        await run_bindings(self, event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.text = event.text.replace("\r\n", "\n").replace("\r", "\n")  # then TextArea inserts it

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def action_enter(self) -> None:
        self.post_message(self.Entered())

    def action_break_line(self) -> None:
        self.replace("\n", *self.selection, maintain_selection_offset=False)

    def action_accept(self) -> None:
        if not self.prediction:
            raise SkipAction  # to the next pane
        self.insert(self.prediction)

    def action_accept_word(self) -> None:
        if not self.prediction:
            raise SkipAction  # to the next word
        word = re.match(r"\s*\S*", self.prediction)
        self.insert(word[0] if word is not None else self.prediction)

    def action_move_to_edge(self, end: bool) -> None:
        self.move_cursor(self.document.end if end else (0, 0))

    def action_delete_in_line(self, forward: bool) -> None:
        """Delete to an end of the line, also where it takes several rows; at its end, the line break."""
        start, (row, column) = self.selection
        end = (row, len(self.document[row])) if forward else (row, 0)
        if start != (row, column):
            end = start
        elif end == (row, column):
            end = self.get_cursor_right_location() if forward else (row, column)
        self.delete((row, column), end, maintain_selection_offset=False)

    def action_cut(self) -> None:
        """Only of a selection; TextArea would cut the line."""
        if text := self.selected_text:
            self.app.copy_to_clipboard(text)
            self.delete(*self.selection, maintain_selection_offset=False)

    # -- size ---------------------------------------------------------------------------------------------------------

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.prediction = ""
        self.styles.height = 1
        self._grow()
        self.refresh()

    def watch_virtual_size(self) -> None:
        self._grow()

    def watch_prediction(self) -> None:
        self.placeholder = "" if self.prediction and not self.text else _HINT
        self._grow()
        self._repaint(self._row_of(self.document.end), self._most_rows)

    def watch_known(self) -> None:
        self.notify_style_update()  # empties the cache of drawn rows

    def _grow(self) -> None:
        """Take the rows that are needed; give none back before the focus goes: each change moves all that is below."""
        if self.has_focus and self.is_attached:
            rows = self.wrapped_document.height + max(0, len(self._prediction_rows()) - 1)
            if (rows := min(rows, self._most_rows)) > self.size.height:
                self.styles.height = rows

    def watch_selection(self, before: Selection, selection: Selection) -> None:
        for start, end in {before, selection}:
            first, last = sorted((self._row_of(start), self._row_of(end)))
            self._repaint(first, last - first + 1)

    def _row_of(self, location: Location) -> int:
        return self.wrapped_document.location_to_offset(self.clamp_visitable(location)).y

    def _repaint(self, first_row: int, count: int) -> None:
        if self.is_attached:
            size = self.scrollable_content_region.size
            self.refresh(Region(0, first_row - self.scroll_offset.y, size.width, count).intersection(size.region))

    # -- drawing ------------------------------------------------------------------------------------------------------

    def get_line(self, line_index: int) -> Text:
        last = line_index + 1 == self.document.line_count
        return self._marked(self.document.get_line(line_index) + ("" if last else LINE_BREAK))

    def _marked(self, line: str) -> Text:
        """A piece of the document, with unknown characters and line breaks in styles of their own."""
        text = Text(line, end="", no_wrap=True)
        characters = set(line)
        unknown = set() if self.known is None else {c for c in characters if raw(c) not in self.known}
        marks = dict.fromkeys(unknown, UNKNOWN) | {c: BREAK for c in characters - unknown if c == LINE_BREAK}
        if marks:
            for index, character in enumerate(line):
                if character in marks:
                    text.stylize(self.get_component_rich_style(marks[character], partial=True), index, index + 1)
        return text

    def render_line(self, y: int) -> Strip:
        if self.has_focus or not self.text:
            strip = super().render_line(y)
            if self.prediction:
                strip = self._with_prediction(strip, y + self.scroll_offset.y)
        else:
            pieces = one_row(self.text.replace("\n", LINE_BREAK), self._row_width)
            marked = [self._marked(piece) for piece in pieces]
            left_out = Text(_LEFT_OUT, self.get_component_rich_style(PREDICTION, partial=True), end="")
            strip = Strip(left_out.join(marked).render(self.app.console)).apply_style(self.rich_style)
        drawn = Strip([Segment(signs(text), style, control) for text, style, control in strip])
        return drawn.crop_extend(0, self.scrollable_content_region.width, self.rich_style).simplify()

    def _prediction_rows(self) -> list[str]:
        """From the cursor on, the last place of the text."""
        column, _ = self.wrapped_document.location_to_offset(self.document.end)
        return prediction_rows(self.prediction, column, self._row_width)

    def _with_prediction(self, strip: Strip, row: int) -> Strip:
        column, last_row = self.wrapped_document.location_to_offset(self.document.end)
        rows = self._prediction_rows()
        if not 0 <= row - last_row < len(rows):
            return strip
        style = self.rich_style + self.get_component_rich_style(PREDICTION, partial=True)
        if row > last_row:
            return Strip([Segment(rows[row - last_row], style)])
        cursor = self.get_component_rich_style("text-area--cursor")
        return Strip([*strip.crop(0, column), Segment(rows[0][:1], cursor), Segment(rows[0][1:], style)])


def prediction_rows(prediction: str, column: int, width: int) -> list[str]:
    """A prediction between its brackets as a document holds it, in rows; the first one begins at a column."""
    if not prediction:
        return []
    text = PREDICTION_STARTS + stored(prediction).replace("\n", LINE_BREAK) + PREDICTION_ENDS
    first, *others = chop_cells(" " * column + text, width)
    return [first[column:], *others]


def one_row(text: str, width: int) -> list[str]:
    """The text, or where it is wider than a row its beginning and end, with room for what stands between them."""
    if cell_len(text[: width + 1]) <= width:
        return [text]
    head = chop_cells(text[: width // 3], width // 3)[0] if width >= 3 else ""
    tail = text[-width:]
    while tail and cell_len(head + _LEFT_OUT + tail) > width:
        tail = tail[1:]
    return [head, tail]
