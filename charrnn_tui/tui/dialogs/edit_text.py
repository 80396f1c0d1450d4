"""A dialog to edit a line of the text."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.play.prime_input import PrimeInput
from charrnn_tui.tui.textview.visible import visible


class EditText(Dialog[str | None]):
    """Returns the edited line, or None."""

    HELP = """The line under the cursor, to be edited. Enter puts it into the text on a branch of its own, and the model
goes on behind it; the text as it was stays where it is, and u goes back to it. Esc changes nothing."""

    def __init__(self, line: str, cursor: int, vocabulary: Vocabulary) -> None:
        """cursor: the column of the cursor in the line. vocabulary: of the model that goes on."""
        super().__init__()
        self._input = PrimeInput(line)
        self._cursor, self._vocabulary = cursor, vocabulary
        self._note = Static("", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "edit: the model goes on behind this"
            box.border_subtitle = "Enter goes on  F4 line break  Esc cancels  F1 help"
            yield self._input
            yield self._note

    def on_mount(self) -> None:
        self._input.cursor_location = (0, self._cursor)
        self.set_focus(self._input)

    @on(TextArea.Changed)
    def name_unknown(self) -> None:
        unknown = self._vocabulary.unknown(self._input.value)
        self._note.update(visible(str(UnknownCharacters(unknown))) if unknown else "")

    @on(PrimeInput.Entered)
    def entered(self) -> None:
        if self._vocabulary.unknown(self._input.value):
            self.app.bell()
        else:
            self.dismiss(self._input.value)

    @on(PrimeInput.Left)
    def leave(self) -> None:
        self.dismiss(None)
