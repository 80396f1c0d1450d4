"""Asks for a file name and writes the text there, in the form that the ending chooses."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.run.files import write_atomically
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.dialogs.job_note import JobNote
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.text_field import TextField


class SaveText(Dialog[Path | None]):
    """Gives the path of the written file, or None if none was written."""

    HELP = """Enter writes the text. A file that exists is replaced only if Enter is pressed again."""
    TERMS: ClassVar[tuple[tuple[str, str], ...]] = (
        (".txt", "character for character as the model wrote it, in UTF-8; so is any other ending"),
        (".json", "with each character's probability, rank, surprise and entropy, and the text's recipe"),
        (".svg", "a picture of the text in the colours that are on"),
    )

    KEYS: ClassVar[tuple[Key, ...]] = (Key("f2", "next_form", "Next form", "Change the ending.", "save.form"),)
    BINDINGS = bindings_of(KEYS)

    def __init__(self, jobs: Jobs, forms: Mapping[str, Callable[[], bytes]], characters: int, proposed: str) -> None:
        """forms: by ending, a function that returns the file's bytes, called in a job; the first is the default."""
        super().__init__()
        self._forms, self._characters = forms, characters
        self._input = TextField(proposed)
        self._note = JobNote(jobs)
        self._asked_about: Path | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="save-box") as box:
            box.border_title = "write to a file"
            box.border_subtitle = f"F2 {' '.join(self._forms)}"
            yield Static(f"{self._characters:,} characters; Enter writes them, Esc does not", markup=False)
            yield self._input
            yield self._note

    def on_mount(self) -> None:
        self.set_focus(self._input)  # now: the keys that follow w are the name
        self._input.select_all()

    @on(Input.Changed)
    def name_changed(self) -> None:
        self._asked_about = None

    @on(Input.Submitted)
    def write(self, event: Input.Submitted) -> None:
        event.stop()
        path = Path(os.path.expanduser(event.value))
        if os.path.isdir(path) or not event.value.strip():
            self._note.say("this is a directory: a file name is needed", error=True)
            return
        if os.path.lexists(path) and self._asked_about != path:
            self._asked_about = path
            self._note.say("there is a file of this name: Enter again replaces it")
            return
        make = self._forms.get(path.suffix.lower(), next(iter(self._forms.values())))
        self._note.run("writing …", lambda token: _write(path, make), self.dismiss)

    def action_next_form(self) -> None:
        endings, path = list(self._forms), Path(self._input.value)
        place = endings.index(path.suffix) + 1 if path.suffix in endings else 0
        stem = path.with_suffix("") if path.suffix in endings else path
        self._input.value = f"{stem}{endings[place % len(endings)]}"
        self._input.cursor_position = len(self._input.value)


def _write(path: Path, make: Callable[[], bytes]) -> Path:
    """Blocks: ten thousand characters with their probabilities take a second. Raises ValueError, one line."""
    try:
        write_atomically(path, make())
    except OSError as error:
        raise ValueError(f"cannot be written: {error.strerror or error}") from None
    return path.absolute()


def proposed_name(directory: Path, model: str) -> str:
    """A file name made of the model's, which does not exist yet."""
    stem = "".join(character if character.isalnum() else "-" for character in model).strip("-") or "text"
    names = (f"{stem}-{number}.txt" for number in range(1, 1 << 30))
    return next(name for name in names if not os.path.lexists(directory / name))
