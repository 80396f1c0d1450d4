"""Asking which file a prime is to be read from."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from charrnn_tui.playground.prime_sources import PRIME_MOST, FoundPrime, prime_from_file
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.dialogs.path_suggester import PathSuggester
from charrnn_tui.tui.textview.visible import visible


class PrimeFile(Dialog[FoundPrime | None]):
    """Gives what the file holds, or None where nothing was read."""

    HELP = f"""Name a text file; → completes the path, Enter reads it, Esc leaves the prime as it is.
Of a long text the last {PRIME_MOST:,} characters are the prime. What cannot be read is said below, with the encoding
to try: Tab goes to the field for it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Cancel", id="prime_file.cancel")]
    DEFAULT_CSS = """
    PrimeFile {
        align: center middle;
        & #prime-file-box {
            width: 72; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; border-title-style: bold; background: $surface; padding: 0 1;
        }
        & Horizontal { height: 1; }
        & Horizontal Static { width: 10; color: $text-muted; }
        & Horizontal Input { width: 1fr; }
        & #prime-file-note { height: auto; color: $text-muted; }
        & #prime-file-note.-error { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, path: str = "", encoding: str = "utf-8") -> None:
        super().__init__()
        suggester = PathSuggester(use_cache=False, case_sensitive=True)
        self._path = Input(path, placeholder="a text file", suggester=suggester, compact=True, id="prime-file-path")
        self._path.select_on_focus = False
        self._encoding = Input(encoding, compact=True, id="prime-file-encoding")
        self._path.cursor_blink = self._encoding.cursor_blink = False
        self._note = Static("→ completes the path, Enter reads, Esc cancels", id="prime-file-note", markup=False)
        self._reading: Worker[FoundPrime] | None = None

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
        self._path.select_all()  # now: what is typed behind F2 takes its place

    @property
    def asked(self) -> tuple[str, str]:
        """Path and encoding as they stand there."""
        return self._path.value.strip(), self._encoding.value.strip() or "utf-8"

    @on(Input.Submitted)
    def file_named(self, event: Input.Submitted) -> None:
        event.stop()
        path, encoding = self.asked
        if path:
            self._say(f"reading {path} …")
            self._reading = self.run_worker(
                lambda: prime_from_file(path, encoding), thread=True, exclusive=True, exit_on_error=False
            )

    @on(Worker.StateChanged)
    def read(self, event: Worker.StateChanged) -> None:
        event.stop()
        worker = event.worker
        if worker is not self._reading:
            return
        if worker.state is WorkerState.SUCCESS:
            self.dismiss(worker.result)
        elif worker.state is WorkerState.ERROR:
            if not isinstance(worker.error, ValueError):
                raise worker.error or RuntimeError("a worker failed without an error")
            self._say(str(worker.error), error=True)

    def _say(self, words: str, error: bool = False) -> None:
        self._note.set_class(error, "-error")
        self._note.update(visible(words))

    def action_give_up(self) -> None:
        self.dismiss(None)
