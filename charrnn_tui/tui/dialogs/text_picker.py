"""The texts to train on: those of earlier runs, the demo text, and a browser of files."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList

from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.text.listing import DEMO_TEXT, PARENT, ListedText, above, recent_texts, short_name, texts_in
from charrnn_tui.text.text_file import CorpusError
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.dialogs.filtered_list import FilteredList
from charrnn_tui.tui.dialogs.job_note import JobNote

ROWS_MOST: Final = 200  # that are listed; a longer list would take longer to draw than to filter


class TextPicker(Dialog[str | None]):
    """Gives the path of a text, as `text_path` takes it, or None."""

    HELP = """Type a part of a name; Enter chooses a text, or opens a directory, and ../ the one above it.

First come the texts of earlier runs, the newest first, then a text that every machine has, then what is in the \
working directory. Binary and empty files are left out; names that begin with a dot are shown once you type a dot."""

    def __init__(self, jobs: Jobs, runs: Callable[[], Iterable[RunDirectory]]) -> None:
        super().__init__()
        self._runs = runs
        self._directory = Path()
        self._texts: Sequence[ListedText] = ()
        self._reading = False  # then the rows are those of the directory before, and nothing is chosen
        self._filtered = FilteredList[ListedText]("a part of a name", "no text or directory has such a name")
        self._note = JobNote(jobs)

    def compose(self) -> ComposeResult:
        with Vertical(id="picker-box") as box:
            box.border_title = "text to train on"
            yield self._filtered
            yield self._note

    def on_mount(self) -> None:
        try:
            working = Path.cwd()
        except FileNotFoundError:  # it has been deleted
            working = Path(os.sep)
        self._look_into(working, lambda: [*recent_texts(self._runs()), DEMO_TEXT])

    def _look_into(self, directory: Path, before: Callable[[], list[ListedText]] = list) -> None:
        """List a directory. before: what is listed before its entries."""

        def find(token: CancelToken) -> tuple[list[ListedText], str]:
            texts = before()
            try:
                return texts + texts_in(directory, token.check), ""
            except CorpusError as error:
                return [*texts, above(directory)] if texts else [], str(error)

        def show(found: tuple[list[ListedText], str]) -> None:
            self._reading, came_from = False, str(self._directory)
            texts, problem = found
            if texts:
                self._directory, self._texts = directory, texts
            self._fill(came_from)
            if problem:
                self._note.say(problem, error=True)

        with self.prevent(Input.Changed):
            self._filtered.field.value = ""  # at once: what is typed from now on is a part of a name in there
        self._reading = True
        self._note.run(f"reading {short_name(str(directory))} …", find, show)

    def _fill(self, came_from: str = "") -> None:
        """List what has the typed part in its name; highlight the directory that was left, or else the first entry."""
        part = self._filtered.field.value.casefold()
        found = [text for text in self._texts if part in text.label.casefold()]
        if not part.startswith("."):
            found = [text for text in found if not text.hidden]
        entries = [text for text in found if text.label != PARENT]
        chosen = next((text for text in entries if text.path == came_from), next(iter(entries), None))
        self._filtered.list.fill(((text, f"{text.label}  {text.about}") for text in found[:ROWS_MOST]), chosen)
        more = f"the first {ROWS_MOST} of {len(found):,}; " if len(found) > ROWS_MOST else ""
        self._note.say(f"{short_name(str(self._directory))}: {more}Enter chooses, Esc goes back")

    @on(Input.Changed)
    def name_typed(self, event: Input.Changed) -> None:
        event.stop()
        if not self._reading:
            self._fill()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose(self._filtered.list.value)

    @on(OptionList.OptionSelected)
    def clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(self._filtered.list.value_of(event.option))

    def _choose(self, text: ListedText | None) -> None:
        if text is None or self._reading:
            return
        if text.folder:
            self._look_into(Path(text.path))
        else:
            self.dismiss(text.path)
