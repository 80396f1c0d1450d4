"""Asking where a text is to be written."""

import os
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from charrnn_tui.run.files import write_atomically


class SaveText(ModalScreen[Path | None]):
    """Writes the text, raw and in UTF-8; gives the path, or None where nothing was written."""

    HELP = """Enter writes the text, character for character as the model wrote it.
A file that exists is only replaced by a second Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Cancel", id="save.cancel")]
    DEFAULT_CSS = """
    SaveText {
        align: center middle;
        & #save-box {
            width: 72; max-width: 100%; height: auto;
            border: round $primary; border-title-style: bold; background: $surface; padding: 0 1;
        }
        & #save-note { color: $text-warning; height: auto; }
    }
    """

    def __init__(self, text: str, proposed: str) -> None:
        super().__init__()
        self._data = text.encode("utf-8", "surrogatepass")
        self._characters = len(text)
        self._input = Input(proposed, compact=True)
        self._note = Static("", id="save-note", markup=False)
        self._asked_about: Path | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="save-box") as box:
            box.border_title = "write to a file"
            yield Static(f"{self._characters:,} characters; Enter writes them, Esc does not", markup=False)
            yield self._input
            yield self._note

    @on(Input.Changed)
    def name_changed(self) -> None:
        self._asked_about = None

    @on(Input.Submitted)
    def write(self, event: Input.Submitted) -> None:
        event.stop()
        path = Path(event.value).expanduser()
        if path.is_dir() or not event.value.strip():
            self._note.update("this is a directory: a file name is needed")
            return
        if os.path.lexists(path) and self._asked_about != path:
            self._asked_about = path
            self._note.update("there is a file of this name: Enter again replaces it")
            return
        try:
            write_atomically(path, self._data)
        except OSError as error:
            self._note.update(f"cannot be written: {error.strerror or error}")
        else:
            self.dismiss(path.absolute())

    def action_give_up(self) -> None:
        self.dismiss(None)


def proposed_name(directory: Path, model: str) -> str:
    """A file name after the model that does not exist there yet."""
    stem = "".join(character if character.isalnum() else "-" for character in model).strip("-") or "text"
    names = (f"{stem}-{number}.txt" for number in range(1, 1 << 30))
    return next(name for name in names if not os.path.lexists(directory / name))
