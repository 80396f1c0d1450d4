"""A field of several rows in which a text of any characters is edited."""

from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from charrnn_tui.tui.play.edit_buffer import line_end, line_start, word_left, word_right
from charrnn_tui.tui.play.edited_text import EditedText


def _moves() -> list[Binding]:
    moves = {
        "left": "left",
        "right": "right",
        "up": "up",
        "down": "down",
        "home": "home,ctrl+a",
        "end": "end,ctrl+e",
        "word_left": "ctrl+left",
        "word_right": "ctrl+right",
        "start": "ctrl+home",
        "finish": "ctrl+end",
        "page_up": "pageup",
        "page_down": "pagedown",
    }
    selecting = ("left", "right", "up", "down", "home", "end")
    names = {where: where.replace("_", " ") for where in moves}
    return [
        *(Binding(keys, f"move('{w}')", names[w], show=False, id=f"editor.{w}") for w, keys in moves.items()),
        *(Binding(f"shift+{w}", f"move('{w}',True)", "select", show=False, id=f"editor.to_{w}") for w in selecting),
    ]


class TextEditor(EditedText, inherit_bindings=False):
    """Letters go in where the cursor stands; nothing that is typed goes elsewhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *_moves(),
        Binding("f4,shift+enter,alt+enter", "break_line", "line break", key_display="F4", id="editor.line_break"),
        Binding("backspace", "delete('left')", "delete", show=False, id="editor.backspace"),
        Binding("delete,ctrl+d", "delete('right')", "delete", show=False, id="editor.delete"),
        Binding("ctrl+w,alt+backspace", "delete('word_left')", "delete a word", show=False, id="editor.delete_word"),
        Binding("ctrl+u", "delete('line_start')", "delete to the line's start", show=False, id="editor.to_line_start"),
        Binding("ctrl+k", "delete('line_end')", "delete to the line's end", show=False, id="editor.to_line_end"),
        Binding("ctrl+z", "undo", "undo", show=False, id="editor.undo"),
        Binding("ctrl+y", "redo", "redo", show=False, id="editor.redo"),
        Binding("ctrl+x", "cut", "cut", show=False, id="editor.cut"),
        Binding("ctrl+c", "copy", "copy", show=False, id="editor.copy"),
        Binding("ctrl+v", "paste", "paste", show=False, id="editor.paste"),
    ]

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """A letter is typed, whatever it would do elsewhere."""
        return character is not None and character.isprintable()

    async def on_key(self, event: events.Key) -> None:
        """Letters and our own bindings in the order in which they came: left to Textual, a binding acts after letters
        that were typed behind it, as they come in one piece over a slow line.
        """
        handled = event.is_printable and event.character is not None
        if event.is_printable and event.character is not None:
            self.insert(event.character, typed=True)
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            handled = handled or await self.app.run_action(binding.action, self)
        if handled:
            event.stop()
            event.prevent_default()

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert(event.text.replace("\r\n", "\n").replace("\r", "\n"))

    def action_break_line(self) -> None:
        self.insert("\n", typed=True)

    def action_move(self, where: str, select: bool = False) -> None:
        """Move the cursor; up and down keep to a column."""
        text, cursor = self.value, self._buffer.cursor
        match where:
            case "left" | "right":
                start, end = self._buffer.selection
                step = -1 if where == "left" else 1
                edge = start if where == "left" else end
                self._move(cursor + step if select or start == end else edge, select)
            case "word_left":
                self._move(word_left(text, cursor), select)
            case "word_right":
                self._move(word_right(text, cursor), select)
            case "start" | "finish":
                self._move(0 if where == "start" else len(text), select)
            case "home" | "end":
                start, end = self._rows.row_span(self._rows.locate(cursor).row)
                self._move(start if where == "home" else end - 1 if end <= len(text) else len(text), select)
            case _:
                page = max(1, self.page.height)
                self._move_rows({"up": -1, "down": 1, "page_up": -page, "page_down": page}[where], select)

    def _move_rows(self, by: int, select: bool) -> None:
        column, row = self._goal_column, self._rows.locate(self._buffer.cursor).row + by
        if row < 0:
            self._move(0, select)
        elif row >= self._rows.row_count:
            self._move(len(self.value), select)
        else:
            self._move(self._rows.position_at(row, column), select)
            self._goal_column = column

    def action_delete(self, where: str) -> None:
        text, cursor = self.value, self._buffer.cursor
        end = line_end(text, cursor)
        places = {
            "left": cursor - 1,
            "right": cursor + 1,
            "line_start": line_start(text, cursor),
            "line_end": end if end > cursor else end + 1,
        }
        place = word_left(text, cursor) if where == "word_left" else places[where]
        self._apply(self._buffer.delete_to(place))

    def action_undo(self) -> None:
        self._apply(self._buffer.undo())

    def action_redo(self) -> None:
        self._apply(self._buffer.redo())

    def action_copy(self) -> None:
        if not self._buffer.selected:
            raise SkipAction
        self.app.copy_to_clipboard(self._buffer.selected)

    def action_cut(self) -> None:
        if self._buffer.selected:
            self.app.copy_to_clipboard(self._buffer.selected)
            self.insert("")

    def action_paste(self) -> None:
        self.insert(self.app.clipboard)
