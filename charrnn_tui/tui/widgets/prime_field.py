"""The beginning that the model is to go on from, with what it cannot read marked as it is typed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.timer import Timer
from textual.widgets import Input, Static

from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.tui.widgets.character_symbol import symbol_of

DEBOUNCE_SECONDS: Final = 0.2
_MOST_NAMED: Final = 6


class PrimeInput(Input):
    """A line that may hold any character: line breaks and tabs stand in it as signs, and nothing raw is drawn."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"prime-input--unknown"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="prime.leave"),
        Binding("f4,shift+enter,alt+enter", "break_line", "Line break", key_display="F4", id="prime.line_break"),
    ]
    DEFAULT_CSS = """
    PrimeInput {
        &.-textual-compact { background: transparent; padding: 0; }
        & .prime-input--unknown { color: $text-error; text-style: reverse underline; }
    }
    """

    @dataclass
    class Left(Message):
        """The user is done with the field, without asking for anything."""

    def __init__(self, value: str) -> None:
        super().__init__(value, compact=True, select_on_focus=False, placeholder="how the text begins")
        self.cursor_blink = False  # it would cost a frame twice a second
        self.unknown_positions: Iterable[int] = ()

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def action_break_line(self) -> None:
        self.insert_text_at_cursor("\n")

    def _on_paste(self, event: events.Paste) -> None:
        """All lines, where Textual's own takes the first."""
        event.prevent_default()
        event.stop()
        pasted = event.text.replace("\r\n", "\n").replace("\r", "\n")
        self.replace(pasted, *sorted(self.selection))

    @property
    def _value(self) -> Text:
        """One code point for each character, so that Textual's cursor stands where it should."""
        shown = Text("".join(map(_sign, self.value)), no_wrap=True, overflow="ignore", end="")
        style = self.get_component_rich_style("prime-input--unknown", partial=True)
        for position in self.unknown_positions:
            shown.stylize(style, position, position + 1)
        return shown

    def _position_to_cell(self, position: int) -> int:
        return cell_len("".join(map(_sign, self.value[:position])))

    def _cell_offset_to_index(self, offset: int) -> int:
        left = offset + self.scroll_offset.x
        for index, character in enumerate(self.value):
            left -= cell_len(_sign(character))
            if left < 0:
                return index
        return len(self.value)


def _sign(character: str) -> str:
    return " " if character == " " else symbol_of(character)[0]


class PrimeField(Vertical):
    """`prime ▸`, the field, and a line about what is skipped."""

    HELP = """The prime is how the text begins: the model reads it and goes on from there.

What you type starts the text over, a moment after the last key; Enter starts it over at once.
F4 or a paste puts line breaks in; they show as ⏎. An empty prime begins a new line.
Characters that the model has never seen are marked and skipped.

Enter  start over     Esc  back     F4  line break"""

    DEFAULT_CSS = """
    PrimeField {
        height: auto;
        background: $boost;
        padding: 0 1;
        & Horizontal { height: 1; }
        & .prime-field--label { width: auto; color: $text-muted; text-style: bold; }
        &:focus-within .prime-field--label { color: $text-primary; }
        & PrimeInput { width: 1fr; }
        & .prime-field--note {
            display: none; height: 1; color: $text-warning; text-wrap: nowrap; text-overflow: ellipsis;
        }
        &.-unknown .prime-field--note { display: block; }
    }
    """

    vocabulary: Reactive[Vocabulary | None] = reactive(None, repaint=False)
    """The alphabet of the model that will read it."""

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
        self._input = PrimeInput(prime)
        self._note = Static("", classes="prime-field--note", markup=False)
        self._told = prime
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("prime ▸ ", classes="prime-field--label", markup=False)
            yield self._input
        yield self._note

    @property
    def prime(self) -> str:
        """As it stands there."""
        return self._input.value

    @prime.setter
    def prime(self, prime: str) -> None:
        self._told = prime
        self._input.value = prime
        self._input.cursor_position = len(prime)

    @property
    def editing(self) -> bool:
        return self._input.has_focus

    def edit(self) -> None:
        """Take the focus."""
        self._input.focus()

    def watch_vocabulary(self) -> None:
        self._mark_unknown()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        event.stop()
        self._mark_unknown()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self._tell)

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._told = self.prime
        self.post_message(self.Changed(self.prime, entered=True))
        self.post_message(self.Left())

    @on(PrimeInput.Left)
    def leave(self, event: PrimeInput.Left) -> None:
        event.stop()
        self.post_message(self.Left())

    def _tell(self) -> None:
        if self._told != self.prime:
            self._told = self.prime
            self.post_message(self.Changed(self.prime, entered=False))

    def _mark_unknown(self) -> None:
        unknown = self.vocabulary.unknown(self.prime) if self.vocabulary is not None else {}
        self._input.unknown_positions = [place for places in unknown.values() for place in places]
        self._input.refresh()
        self.set_class(bool(unknown), "-unknown")
        self._note.update(unknown_note(unknown), layout=False)


def unknown_note(unknown: Iterable[str]) -> str:
    """The line that names characters which a model does not know."""
    names = [f"{symbol_of(character)} (U+{ord(character):04X})" for character in unknown]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"skipped, not in this model's alphabet: {', '.join(names[:_MOST_NAMED])}{more}"
