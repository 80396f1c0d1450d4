"""Editing what a model has written, line by line."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.play.text_editor import TextEditor
from charrnn_tui.tui.textview.visible import visible


class LineEditor(TextEditor):
    """Enter is done."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "enter", "go on from there", id="edit.enter")]

    class Entered(Message):
        """The line is as it should be."""

    def action_enter(self) -> None:
        self.post_message(self.Entered())


class EditText(Dialog[str | None]):
    """Gives the line as it was edited, or None."""

    HELP = """The line under the cursor, to be changed. Enter: what stands here stands in the text, the model goes on
behind it, on a branch of its own; the text as it was stays where it is, u goes back to it.

F4  a line break     Ctrl+K  cuts to the end of the line     Ctrl+Z  undo     Esc  leaves everything as it is"""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", id="edit.cancel")]
    DEFAULT_CSS = """
    EditText {
        align: center middle;
        & > Vertical {
            width: 90; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; border-title-style: bold; background: $surface; padding: 0 1;
        }
        & LineEditor { height: 4; }
        & Static { height: auto; color: $text-warning; }
    }
    """

    def __init__(self, line: str, cursor: int, vocabulary: Vocabulary) -> None:
        """cursor: before which character of the line it stands. vocabulary: of the model that is to go on."""
        super().__init__()
        self._editor = LineEditor(line)
        self._cursor, self._vocabulary = cursor, vocabulary
        self._note = Static("", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "edit: the model goes on behind this"
            box.border_subtitle = "Enter goes on  F4 line break  Ctrl+K cuts the rest  Esc cancels"
            yield self._editor
            yield self._note

    def on_mount(self) -> None:
        self._editor.move_to(self._cursor)
        self.set_focus(self._editor)

    @on(TextEditor.Changed)
    def name_unknown(self) -> None:
        unknown = self._vocabulary.unknown(self._editor.value)
        self._note.update(visible(str(UnknownCharacters(unknown))) if unknown else "")

    @on(LineEditor.Entered)
    def entered(self) -> None:
        if self._vocabulary.unknown(self._editor.value):
            self.app.bell()
        else:
            self.dismiss(self._editor.value)
