"""The beginning that the model is to go on from: a label, the field, and a line about what the model cannot read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.timer import Timer
from textual.widgets import Static

from charrnn_tui.playground.prime_completion import PrimeCompletion
from charrnn_tui.text.nearest import NearestKnown
from charrnn_tui.tui.play.prime_editor import GHOST_MOST, PrimeEditor
from charrnn_tui.tui.textview.character_symbol import symbol_of

if TYPE_CHECKING:
    from charrnn_tui.playground.models import LoadedModel

DEBOUNCE_SECONDS: Final = 0.2
LOOK_SECONDS: Final = 1 / 30  # between two looks whether something is foreseen
_MOST_NAMED: Final = 6


class PrimeField(Vertical):
    """`prime ▸`, the editor, and the unknown characters with what is nearest to them."""

    HELP = """The prime is how the text begins: the model reads it and goes on from there.

What you type starts the text over, a moment after the last key; Enter starts it over at once. An empty prime begins a
new line. F4 puts a line break in, a paste as many as it has; the field grows, and out of it they show as ⏎.
Between ‹ and › stands, dim, what the model would most likely write next: Tab takes it, Ctrl+→ or F7 a word of it.
Characters that the model has never seen are marked and skipped; F6 puts the nearest it knows in their place.

Enter  start over       Esc  back           F4  line break        F6  nearest known characters
F2  from a file         F3  a random line of the text that the model learned from
Shift and arrows select; Ctrl+Z, Ctrl+Y undo and redo; Ctrl+X, Ctrl+C, Ctrl+V cut, copy and paste
Ctrl+W, Ctrl+U, Ctrl+K delete a word, to the start, to the end of the line"""

    BINDINGS: ClassVar[list[BindingType]] = [  # the screen's, by shorter names for the footer
        Binding("f2", "screen.prime_file", "file", key_display="F2", id="prime.file"),
        Binding("f3", "screen.prime_line", "random line", key_display="F3", id="prime.line"),
        Binding("f6", "screen.prime_nearest", "nearest", key_display="F6", id="prime.nearest"),
    ]
    DEFAULT_CSS = """
    PrimeField {
        height: auto;
        background: $boost;
        padding: 0 1;
        & Horizontal { height: auto; }
        & .prime-field--label { width: auto; color: $text-muted; text-style: bold; }
        &:focus-within .prime-field--label { color: $text-primary; }
        & PrimeEditor { width: 1fr; }
        & .prime-field--note {
            display: none; height: 1; color: $text-warning; text-wrap: nowrap; text-overflow: ellipsis;
        }
        &.-unknown .prime-field--note { display: block; }
    }
    """

    model: Reactive[LoadedModel | None] = reactive(None, repaint=False)
    """Who will read it."""

    @dataclass
    class Changed(Message):
        """Another prime stands there, and for a moment nobody has typed. entered: by Enter."""

        prime: str
        entered: bool

    @dataclass
    class Left(Message):
        """The field is left: back to where one was."""

    def __init__(self, prime: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._editor = PrimeEditor(prime)
        self._note = Static("", classes="prime-field--note", markup=False)
        self._told = prime
        self._timer: Timer | None = None
        self._nearest: NearestKnown | None = None
        self._foresight = PrimeCompletion()
        self._look: Timer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("prime ▸ ", classes="prime-field--label", markup=False)
            yield self._editor
        yield self._note

    def on_mount(self) -> None:
        self._look = self.set_interval(LOOK_SECONDS, self._look_ahead, name="foresight", pause=True)

    @property
    def prime(self) -> str:
        """As it stands there."""
        return self._editor.value

    @prime.setter
    def prime(self, prime: str) -> None:
        self._told = prime
        self._editor.load(prime)

    @property
    def editing(self) -> bool:
        return self._editor.has_focus

    def edit(self) -> None:
        """Take the focus."""
        self.screen.set_focus(self._editor)  # now: the keys that follow may be here already

    def put(self, prime: str) -> None:
        """Start the text over with this prime, as if it had been typed."""
        self._editor.put(prime)
        self._tell()

    def watch_model(self, model: LoadedModel | None) -> None:
        vocabulary = None if model is None else model.vocabulary
        self._nearest = None if vocabulary is None else NearestKnown(vocabulary)
        self._editor.known = None if vocabulary is None else vocabulary.index
        self._name_unknown()
        self._foresee()

    @on(PrimeEditor.Changed)
    def edited(self, event: PrimeEditor.Changed) -> None:
        event.stop()
        self._foresee()
        if event.text_changed:
            self._name_unknown()
            self._wait()
            self._timer = self.set_timer(DEBOUNCE_SECONDS, self._tell)

    @on(PrimeEditor.Entered)
    def entered(self, event: PrimeEditor.Entered) -> None:
        event.stop()
        self._wait()
        self._told = self.prime
        self.post_message(self.Changed(self.prime, entered=True))
        self.post_message(self.Left())

    @on(PrimeEditor.Left)
    def leave(self, event: PrimeEditor.Left) -> None:
        event.stop()
        self.post_message(self.Left())

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def _tell(self) -> None:
        self._wait()
        if self._told != self.prime:
            self._told = self.prime
            self.post_message(self.Changed(self.prime, entered=False))

    # -- what the model cannot read -----------------------------------------------------------------------------------

    def put_nearest(self) -> bool:
        """Replace unknown characters by the nearest known ones; whether there were any."""
        replaced = self.prime if self._nearest is None else self._nearest.replaced(self.prime)
        if replaced == self.prime:
            return False
        self.put(replaced)
        return True

    def _name_unknown(self) -> None:
        known = self._editor.known
        unknown = [] if known is None else sorted(set(self.prime).difference(known), key=self.prime.index)
        self.set_class(bool(unknown), "-unknown")
        self._note.update("" if self._nearest is None else unknown_note(unknown, self._nearest), layout=False)

    # -- what it would write ------------------------------------------------------------------------------------------

    def _foresee(self) -> None:
        """Ask what follows, where it could be shown."""
        editor, model = self._editor, self.model
        if model is None or not editor.editing or not editor.at_end:
            self._foresight.forget()
            editor.ghost = ""
        elif self._look is not None:
            self._foresight.ask(model.reader, editor.value, min(GHOST_MOST, max(1, editor.page.width)))
            self._look.resume()

    def _look_ahead(self) -> None:
        foreseen = self._foresight.look()
        if foreseen is not None and foreseen.prime == self._editor.value and self._editor.at_end:
            self._editor.ghost = foreseen.text
        if not self._foresight.pending and self._look is not None:
            self._look.pause()


def unknown_note(unknown: Iterable[str], nearest: NearestKnown) -> str:
    """The line that names characters which a model does not know, and the nearest that it does."""
    near = [f"{symbol_of(stranger)} → {symbol_of(known)}" for stranger in unknown if (known := nearest.of(stranger))]
    far = [f"{symbol_of(stranger)} (U+{ord(stranger):04X})" for stranger in unknown if nearest.of(stranger) is None]
    words = [f"skipped; F6 replaces {_listed(near)}"] if near else []
    if far:
        words.append(f"{'nothing near' if near else 'skipped, nothing near'}: {_listed(far)}")
    return "; ".join(words)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
