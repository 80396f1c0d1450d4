"""Asks which file the prime is to be read from."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.prime_sources import PRIME_MOST, FoundPrime, prime_from_file
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.dialogs.job_note import JobNote
from charrnn_tui.tui.dialogs.path_suggester import PathSuggester
from charrnn_tui.tui.text_field import TextField


class PrimeFile(Dialog[FoundPrime | None]):
    """Gives the file's text, or None if none was read."""

    HELP = f"""→ completes the path, Enter reads the file, Tab goes to the encoding.
Of a long text, the last {PRIME_MOST:,} characters become the prime."""

    def __init__(self, jobs: Jobs, path: str = "", encoding: str = "utf-8") -> None:
        super().__init__()
        suggester = PathSuggester(use_cache=False, case_sensitive=True)
        self._path = TextField(path, placeholder="a text file", suggester=suggester)
        self._encoding = TextField(encoding)
        self._note = JobNote(jobs, "→ completes the path, Enter reads, Esc cancels")

    def compose(self) -> ComposeResult:
        with Vertical(id="prime-file-box") as box:
            box.border_title = "prime from a file"
            with Horizontal():
                yield Static("file", markup=False)
                yield self._path
            with Horizontal():
                yield Static("encoding", markup=False)
                yield self._encoding
            yield self._note

    def on_mount(self) -> None:
        self._path.select_all()  # now: the keys that follow F2 replace it

    @property
    def asked(self) -> tuple[str, str]:
        """The path and the encoding that were typed."""
        return self._path.value.strip(), self._encoding.value.strip() or "utf-8"

    @on(Input.Submitted)
    def file_named(self, event: Input.Submitted) -> None:
        event.stop()
        path, encoding = self.asked
        if path:
            self._note.run(f"reading {path} …", lambda token: prime_from_file(path, encoding), self.dismiss)
