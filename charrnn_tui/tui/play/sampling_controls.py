"""The panel of controls: one chosen, each with its value, changed in place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.widgets import Input, Static

from charrnn_tui.playground.controls import CONTROLS, DEFAULTS, PlayControl, PlaySettings
from charrnn_tui.tui.play.control_rows import ControlRows


class ValueInput(Input):
    """A typed value; Esc gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Leave", id="value.leave")]

    @dataclass
    class GivenUp(Message):
        """No value after all."""

    def action_give_up(self) -> None:
        self.post_message(self.GivenUp())


class SamplingControls(Vertical, can_focus=True):
    """The controls and, while a value is typed, a field for it."""

    HELP = """The controls act on the next character, in mid-stream; the text is marked where one was changed.

↑ ↓  choose a control      ← →  change it      shift or ctrl ← →  in big steps
Enter  type a value        Backspace  its default        wheel  change what is under the pointer

top-k        draw from the k likeliest characters only
temperature  below 1 bolder in what is likely, above 1 more even; 0 always the likeliest
top-p        draw from the fewest likeliest whose share reaches p
min-p        draw from those with at least p times the share of the likeliest
seed         the same seed and controls give the same text; a changed seed starts over
replay ↻     on: every change re-writes the page from the prime with the same seed, at once
speed        characters a second
length       characters to a page; then it rests, and g goes on"""

    DEFAULT_CSS = """
    SamplingControls {
        height: auto;
        & .sampling-controls--heading { height: 1; color: $text-muted; text-style: bold; }
        & ValueInput { display: none; }
        & .sampling-controls--error { display: none; height: auto; color: $text-error; }
        &.-typing ValueInput { display: block; }
        &.-wrong .sampling-controls--error { display: block; }
    }
    """

    settings: Reactive[PlaySettings] = reactive(DEFAULTS, repaint=False)
    chosen: Reactive[int] = reactive(0, repaint=False)

    def __init__(
        self,
        settings: PlaySettings,
        on_change: Callable[[PlayControl, PlaySettings], None],
        *,
        knobs: Sequence[PlayControl] = CONTROLS,
    ) -> None:
        """on_change: called at once with the control that was changed and all settings."""
        super().__init__()
        self._knobs, self._on_change = knobs, on_change
        self._typed_for = knobs[0]  # the control whose value is typed
        self._rows = ControlRows(knobs)
        self._input = ValueInput(select_on_focus=False, compact=True)
        self._input.cursor_blink = False
        self._error = Static("", classes="sampling-controls--error", markup=False)
        self.set_reactive(SamplingControls.settings, settings)
        self._rows.set_reactive(ControlRows.settings, settings)

    def compose(self) -> ComposeResult:
        yield Static("controls", classes="sampling-controls--heading")
        yield self._rows
        yield self._input
        yield self._error

    @property
    def knob(self) -> PlayControl:
        """The chosen control."""
        return self._knobs[self.chosen]

    def choose(self, by: int) -> None:
        """Choose the next control or the one before; round the ends."""
        self.chosen = (self.chosen + by) % len(self._knobs)

    def change(self, by: int) -> None:
        """Change the chosen control by so many of its steps."""
        self._apply(self.knob.step(self.settings, by), self.knob)

    def switch(self, knob: PlayControl) -> None:
        """Turn a control of two values over, chosen or not."""
        self._apply(knob.step(self.settings, -1 if knob.value(self.settings) else 1), knob)

    def reset(self) -> None:
        """Set the chosen control's default."""
        self._apply(self.knob.reset(self.settings), self.knob)

    def type_value(self) -> None:
        """Open the field for a value of the chosen control."""
        self._typed_for = self.knob
        self._input.value = self.knob.shown(self.settings)
        self._input.placeholder = self.knob.name
        self.add_class("-typing")
        self.screen.set_focus(self._input)  # now: what is typed behind Enter is the value
        self._input.select_all()

    def watch_settings(self, settings: PlaySettings) -> None:
        self._rows.settings = settings

    def watch_chosen(self, chosen: int) -> None:
        self._rows.chosen = chosen

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._rows.lit = has_focus

    @on(ControlRows.Pointed)
    def pointed(self, event: ControlRows.Pointed) -> None:
        event.stop()
        self.chosen = event.place
        if event.by:
            self.change(event.by)

    @on(Input.Submitted)
    def value_typed(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            settings = self._typed_for.typed(self.settings, event.value)
        except ValueError as error:
            self._error.update(str(error))
            self.add_class("-wrong")
        else:
            self.close_field()
            self._apply(settings, self._typed_for)

    @on(Input.Changed)
    def value_in_the_making(self, event: Input.Changed) -> None:
        event.stop()
        self.remove_class("-wrong")

    @on(ValueInput.GivenUp)
    def close_field(self) -> None:
        """Back to the rows, the control unchanged."""
        self.screen.set_focus(self)
        self.remove_class("-typing", "-wrong")

    def _apply(self, settings: PlaySettings, control: PlayControl) -> None:
        if settings != self.settings:
            self.settings = settings
            self._on_change(control, settings)
