"""The beginning that the model is to go on from: a label, the field, and a line about what the model cannot read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static, TextArea

from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.text.nearest import NearestKnown, in_known_form
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.play.prime_input import PrimeInput
from charrnn_tui.tui.textview.visible import symbol_of

DEBOUNCE_SECONDS: Final = 0.2
MOST_PREDICTED: Final = 60  # characters
_MOST_NAMED: Final = 6


class PrimeField(Vertical):
    """`prime ▸`, the input, and the unknown characters with the nearest known ones."""

    HELP = """The prime is how the text begins: the model reads it and goes on from there.

What you type starts the text over, a moment after the last key. An empty prime begins a new line. The field grows with
its lines; out of it, a line break shows as ⏎. Between ‹ and › stands what the model would most likely write next.
Characters that the model does not know are marked and skipped.

Shift and arrows select; Ctrl+Z and Ctrl+Y undo and redo; Ctrl+X, Ctrl+C and Ctrl+V cut, copy and paste; Ctrl+W deletes
a word."""

    KEYS: ClassVar[tuple[Key, ...]] = (  # the screen's, by shorter names for the footer
        Key("f2", "screen.prime_file", "File", "Take the prime from a file.", "prime.file", footer=True),
        Key("f3", "screen.prime_line", "Random line", "Take a line of the training text.", "prime.line", footer=True),
        Key("f6", "screen.prime_nearest", "Nearest", "Replace unknown characters.", "prime.nearest", footer=True),
    )
    BINDINGS = bindings_of(KEYS)

    model: Reactive[LoadedModel | None] = reactive(None, repaint=False)
    """The model that will read the prime."""

    @dataclass
    class Changed(Message):
        """The prime has changed, and Enter was pressed or no key has come for DEBOUNCE_SECONDS."""

        prime: str

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.input = PrimeInput()
        self.focused_before: Widget | None = None
        self._note = Static("", classes="prime-field--note", markup=False)
        self._posted = ""
        self._debounce: Timer | None = None
        self._nearest: NearestKnown | None = None
        self._jobs = jobs
        self._job = f"prime completion {id(self)}"

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("prime ▸ ", classes="prime-field--label", markup=False)
            yield self.input
        yield self._note

    def on_unmount(self) -> None:
        self._jobs.cancel(self._job)

    @property
    def prime(self) -> str:
        """The text in the field."""
        return self.input.value

    @prime.setter
    def prime(self, prime: str) -> None:
        self._posted = prime
        self.input.load(prime)

    def edit(self) -> None:
        """Take the focus, and remember the pane that had it."""
        self.focused_before = self.screen.focused
        self.screen.set_focus(self.input)  # now: the keys that follow may be here already

    def put(self, prime: str) -> None:
        """Start the text over with this prime, as if it had been typed."""
        self.input.put(prime)
        self._post_change()

    def watch_model(self, model: LoadedModel | None) -> None:
        vocabulary = None if model is None else model.vocabulary
        self._nearest = None if vocabulary is None else NearestKnown(vocabulary)
        self.input.known = None if vocabulary is None or vocabulary.of_bytes else vocabulary.index
        self._name_unknown()
        self._predict()

    @on(TextArea.Changed)
    def edited(self, event: TextArea.Changed) -> None:
        event.stop()
        self._predict()
        self._name_unknown()
        self._stop_debounce()
        self._debounce = self.set_timer(DEBOUNCE_SECONDS, self._post_change)

    @on(TextArea.SelectionChanged)
    def cursor_moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        if not self.input.at_end:
            self.input.prediction = ""
        self._predict()

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def focus_changed(self) -> None:
        self._predict()

    @on(PrimeInput.Entered)
    def entered(self) -> None:
        self._stop_debounce()
        self._posted = self.prime
        self.post_message(self.Changed(self.prime))

    def _stop_debounce(self) -> None:
        if self._debounce is not None:
            self._debounce.stop()

    def _post_change(self) -> None:
        self._stop_debounce()
        if self._posted != self.prime:
            self._posted = self.prime
            self.post_message(self.Changed(self.prime))

    # -- characters that the model cannot read ------------------------------------------------------------------------

    def put_nearest(self) -> str:
        """Replace unknown characters by the nearest known ones; returns a line for the user if there are none."""
        replaced = self.prime if self._nearest is None else self._nearest.replaced(self.prime)
        if replaced == self.prime:
            return "every character of the prime is known, or none of the known ones is near"
        self.put(replaced)
        return ""

    def _name_unknown(self) -> None:
        known = self.input.known
        unknown = [] if known is None else sorted(set(self.prime).difference(known), key=self.prime.index)
        self.set_class(bool(unknown), "-unknown")
        self._note.update("" if self._nearest is None else self._note_on(unknown, self._nearest), layout=False)

    def _note_on(self, unknown: Sequence[str], nearest: NearestKnown) -> str:
        _, form = in_known_form(self.prime, nearest.vocabulary)
        return f"skipped; F6 converts it: the model has {form}" if form else unknown_note(unknown, nearest)

    # -- prediction ---------------------------------------------------------------------------------------------------

    def _predict(self) -> None:
        """Compute what follows the prime, where it can be shown."""
        field, model = self.input, self.model
        most = min(MOST_PREDICTED, field.prediction_room) if field.is_attached else 0
        if model is None or not field.has_focus or not field.at_end or most < 1:
            self._jobs.cancel(self._job)
            field.prediction = ""
            return
        prime, reader = field.value, model.reader

        def predicted(token: CancelToken) -> str:
            return reader.predict(prime, most, lambda _: token.check())

        def show(prediction: str) -> None:
            if field.value == prime and field.at_end:
                field.prediction = prediction

        # Without numbers from the model there is no prediction; the status line says so as soon as it writes.
        self._jobs.submit(self._job, predicted, show, failed=lambda _: show(""))


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
