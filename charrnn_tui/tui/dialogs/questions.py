"""Short questions over a screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.text_field import TextField


@dataclass(frozen=True)
class Choice:
    """A key and what it stands for."""

    key: str
    label: str
    answer: str


class ChoiceDialog(Dialog[str | None]):
    """A question that one key answers; Esc leaves everything as it is."""

    def __init__(self, question: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._question = question
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._question, markup=False)
            lines = [f"  {choice.key}   {choice.label}" for choice in self._choices]
            yield Static("\n" + "\n".join([*lines, "  Esc cancel"]), markup=False)

    def on_key(self, event: events.Key) -> None:
        for choice in self._choices:
            if event.character == choice.key:
                event.stop()
                self.dismiss(choice.answer)


class TextDialog(Dialog[str | None]):
    """A question that a typed line answers. `check` gives what is wrong with it, or nothing."""

    def __init__(self, question: str, value: str = "", check: Callable[[str], str] = lambda _: "") -> None:
        super().__init__()
        self._question, self._check = question, check
        self._input = TextField(value)
        self._problem = Static("", markup=False, classes="problem")

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_subtitle = "Enter confirms · Esc cancels"
            yield Static(self._question, markup=False)
            yield self._input
            yield self._problem

    def on_mount(self) -> None:
        self._input.select_all()  # not at its focus event: the first letters may have been typed by then

    def on_input_submitted(self, event: Input.Submitted) -> None:
        problem = self._check(event.value)
        if problem:
            self._problem.update("✗ " + problem)
        else:
            self.dismiss(event.value)


def whole_number_problem(text: str) -> str:
    """What is wrong with a number of steps or epochs; nothing where it is one."""
    return "" if text.strip().isdecimal() and 1 <= int(text) <= 1_000_000 else "a whole number from 1 to 1,000,000"
