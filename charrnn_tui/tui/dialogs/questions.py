"""Short questions over a screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Key
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from charrnn_tui.tui.dialogs.dialog import Dialog


@dataclass(frozen=True)
class Choice:
    """A key and what it stands for."""

    key: str
    label: str
    answer: str


class ChoiceDialog(Dialog[str | None]):
    """A question that one key answers; Esc leaves everything as it is."""

    DEFAULT_CSS = """
    ChoiceDialog { align: center middle; }
    ChoiceDialog > Vertical {
        width: auto; max-width: 90%; height: auto; max-height: 100%;
        padding: 1 2; border: round $primary; background: $surface;
    }
    ChoiceDialog Static { width: auto; max-width: 100%; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", id="dialog.cancel")]

    def __init__(self, question: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._question = question
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._question, markup=False)
            lines = [f"  {choice.key}   {choice.label}" for choice in self._choices]
            yield Static("\n" + "\n".join([*lines, "  Esc cancel"]), markup=False)

    def on_key(self, event: Key) -> None:
        for choice in self._choices:
            if event.character == choice.key:
                event.stop()
                self.dismiss(choice.answer)


class TextDialog(Dialog[str | None]):
    """A question that a typed line answers. `check` gives what is wrong with it, or nothing."""

    DEFAULT_CSS = """
    TextDialog { align: center middle; }
    TextDialog > Vertical {
        width: 64; max-width: 90%; height: auto; padding: 1 2; border: round $primary; background: $surface;
    }
    TextDialog .problem { color: $text-error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", id="dialog.cancel")]

    def __init__(self, question: str, value: str = "", check: Callable[[str], str] = lambda _: "") -> None:
        super().__init__()
        self._question, self._check = question, check
        self._input = Input(value, select_on_focus=False, compact=True)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._question, markup=False)
            yield self._input
            yield Static("", markup=False, classes="problem")

    def on_mount(self) -> None:
        self._input.select_all()  # not when it hears of its focus: the first letters may be in it by then

    def on_input_submitted(self, event: Input.Submitted) -> None:
        problem = self._check(event.value)
        if problem:
            self.query_one(".problem", Static).update("✗ " + problem)
        else:
            self.dismiss(event.value)


class HelpDialog(Dialog[None]):
    """The keys that act now, and a word on the pane in focus."""

    DEFAULT_CSS = """
    HelpDialog { align: center middle; }
    HelpDialog > VerticalScroll {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 2; border: round $primary; background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss(None)", "Close", id="dialog.close")
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll() as scroll:
            scroll.border_subtitle = "Esc closes"
            yield Static(self._text, markup=False)


def help_text(screen: Screen[object]) -> str:
    """The help of the pane in focus, or else the screen's, then all keys that act now."""
    focused: Widget | None = screen.focused
    places = [*(focused.ancestors_with_self if focused is not None else ()), screen, *screen.query("*")]
    words = next((place.HELP for place in places if isinstance(getattr(place, "HELP", None), str)), "")
    keys: dict[str, str] = {}
    for active in screen.active_bindings.values():
        if active.binding.id and active.enabled:
            keys.setdefault(active.binding.description, screen.app.get_key_display(active.binding))
    width = max((len(key) for key in keys.values()), default=1)
    listed = "\n".join(f"{key:<{width}}  {description}" for description, key in keys.items())
    return f"{words}\n\nKeys that act here now\n{listed}"


def whole_number_problem(text: str) -> str:
    """What is wrong with a number of steps or epochs; nothing where it is one."""
    return "" if text.strip().isdecimal() and 1 <= int(text) <= 1_000_000 else "a whole number from 1 to 1,000,000"
