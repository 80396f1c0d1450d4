"""What the keys that take a text out do: write a file, copy the text, copy the command that writes it again."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.playground import NO_TEXT
from charrnn_tui.playground.text_export import COPY_FILE, RECIPES, as_bytes, with_probabilities, write_recipe
from charrnn_tui.run.files import write_atomically
from charrnn_tui.tui.dialogs.save_text import SaveText, proposed_name
from charrnn_tui.tui.play.pane import PlaygroundPane
from charrnn_tui.tui.play.text_picture import text_picture

_CLIPBOARD_BYTES: Final = 70_000  # terminals truncate or ignore longer OSC 52 sequences


class ExportActions:
    """Takes out the text that the pane shows, and says where it is."""

    def __init__(self, pane: PlaygroundPane, jobs: Jobs, runs_directory: Path, notify: Callable[[str], None]) -> None:
        self._pane, self._jobs, self._directory, self._notify = pane, jobs, runs_directory, notify

    def save(self) -> None:
        """Ask for a file name, whose ending chooses the form: text, JSON with probabilities, or a picture."""
        branch, app = self._pane.playground.tree.current, self._pane.app
        if branch is None:
            self._notify(NO_TEXT)
            return
        whole = branch.generated.prime + branch.generated.text
        forms: dict[str, Callable[[], bytes]] = {
            ".txt": lambda: as_bytes(whole),
            ".json": lambda: with_probabilities(branch),
            ".svg": lambda: app.call_from_thread(self._picture, branch).encode(),
        }
        name = proposed_name(Path.cwd(), branch.model.source.path.stem)
        app.push_screen(
            SaveText(self._jobs, forms, len(whole), name),
            lambda path: self._notify(f"written to {path}") if path else None,
        )

    def _picture(self, branch: Branch) -> str:
        title = f"{branch.model.title} · {self._pane.playground.settings.description}"
        return text_picture(self._pane.text_view, title, self._pane.legend)

    def copy(self) -> None:
        """Copy the selection or, without one, prime and text."""
        text = self._pane.playground.text
        start, end = self._pane.text_view.selected or (0, len(text))
        self._copy(text[start:end], self._directory / COPY_FILE)

    def copy_command(self) -> None:
        """Copy the command that writes this text again; the recipe it names is written into the runs directory."""
        branch, recipes = self._pane.playground.tree.current, self._directory / RECIPES
        if branch is None:
            self._notify(NO_TEXT)
            return
        try:
            command = write_recipe(branch, self._directory)
        except OSError as error:
            self._notify(f"{recipes}: cannot be written: {error.strerror or error}")
        except ValueError as error:
            self._notify(f"no recipe: {error}")
        else:
            self._copy(command, recipes / "command.txt")

    def _copy(self, text: str, path: Path) -> None:
        """To a file and, since a terminal does not say whether it allows that, to the clipboard as well."""
        data = as_bytes(text)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
            note = f"{len(text):,} characters are in {path}"
        except OSError as error:
            note = f"{path}: cannot be written: {error.strerror or error}"
        if len(data) <= _CLIPBOARD_BYTES:
            self._pane.app.copy_to_clipboard(data.decode("utf-8", "replace"))
            note += ", and in the clipboard if the terminal allows it"
        self._notify(note)
