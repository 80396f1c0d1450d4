"""Asking where a text is to be written, and in which form."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from charrnn_tui.run.files import write_atomically
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.textview.visible import visible


class SaveText(Dialog[Path | None]):
    """Writes the text in the form that the file's ending says; gives the path, or None where nothing was written."""

    HELP = """Enter writes the text. The ending of the file's name chooses the form, F2 steps through them:

.txt   character for character as the model wrote it, in UTF-8
.json  with the probability, rank, surprise and entropy of each character, and the recipe of the text
.svg   a picture of it, in the colours that are on

Any other ending: as .txt. A file that exists is only replaced by a second Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Cancel", id="save.cancel"),
        Binding("f2", "next_form", "Next form", key_display="F2", id="save.form"),
    ]
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

    def __init__(self, forms: Mapping[str, Callable[[], bytes]], characters: int, proposed: str) -> None:
        """forms: by ending, what makes the file's bytes; called on another thread. The first is the usual one."""
        super().__init__()
        self._forms = forms
        self._characters = characters
        self._input = Input(proposed, select_on_focus=False, compact=True)
        self._note = Static("", id="save-note", markup=False)
        self._asked_about: Path | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="save-box") as box:
            box.border_title = "write to a file"
            box.border_subtitle = f"F2 {' '.join(self._forms)}"
            yield Static(f"{self._characters:,} characters; Enter writes them, Esc does not", markup=False)
            yield self._input
            yield self._note

    def on_mount(self) -> None:
        self.set_focus(self._input)  # before it is drawn: who sees it may type
        self._input.select_all()

    @on(Input.Changed)
    def name_changed(self) -> None:
        self._asked_about = None

    @on(Input.Submitted)
    def write(self, event: Input.Submitted) -> None:
        event.stop()
        path = Path(os.path.expanduser(event.value))
        if os.path.isdir(path) or not event.value.strip():
            self._note.update("this is a directory: a file name is needed")
            return
        if os.path.lexists(path) and self._asked_about != path:
            self._asked_about = path
            self._note.update("there is a file of this name: Enter again replaces it")
            return
        self._note.update("writing …")
        self._write(path)

    @work(thread=True, exclusive=True)
    def _write(self, path: Path) -> None:
        """Ten thousand characters with their probabilities take a second."""
        make = self._forms.get(path.suffix.lower(), next(iter(self._forms.values())))
        try:
            write_atomically(path, make())
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            self.app.call_from_thread(self._note.update, visible(f"cannot be written: {reason}"))
        else:
            self.app.call_from_thread(self.dismiss, path.absolute())

    def action_next_form(self) -> None:
        endings, path = list(self._forms), Path(self._input.value)
        place = endings.index(path.suffix) + 1 if path.suffix in endings else 0
        stem = path.with_suffix("") if path.suffix in endings else path
        self._input.value = f"{stem}{endings[place % len(endings)]}"
        self._input.cursor_position = len(self._input.value)

    def action_give_up(self) -> None:
        self.dismiss(None)


def proposed_name(directory: Path, model: str) -> str:
    """A file name after the model that does not exist there yet."""
    stem = "".join(character if character.isalnum() else "-" for character in model).strip("-") or "text"
    names = (f"{stem}-{number}.txt" for number in range(1, 1 << 30))
    return next(name for name in names if not os.path.lexists(directory / name))
