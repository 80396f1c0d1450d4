"""The panel of controls: their names and values, one of them chosen, changed in place by keys and mouse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import Reactive, reactive
from textual.widgets import Input, Static

from charrnn_tui.playground.controls import BIG_STEP, CONTROLS, DEFAULTS, PlayControl, PlaySettings, Value
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.play.drawn_rows import DrawnRows, Row, components
from charrnn_tui.tui.text_field import TextField
from charrnn_tui.tui.textview.visible import visible

_NAME_CELLS: Final = 14
_ROW_CELLS: Final = 30  # a name and a value of up to twelve cells between its arrows
_ARROW_CELLS: Final = 2
_VALUE_CELLS: Final = _ROW_CELLS - _NAME_CELLS - 2 * _ARROW_CELLS
_SIDE_BY_SIDE_FROM: Final = _ROW_CELLS + 6  # cells of width


def control_keys(screen: str) -> tuple[Key, ...]:
    """The keys for a screen's controls, which act whichever pane has the focus. screen: the prefix of their ids.

    Its action `control` calls the method of its panel with this name.
    """
    big = f"Change the chosen control by {BIG_STEP} values."
    return (
        Key("up", "control('choose', -1)", "Control above", "Choose the control above.", f"{screen}.control_above"),
        Key("down", "control('choose', 1)", "Control below", "Choose the control below.", f"{screen}.control_below"),
        Key(
            "left", "control('change', -1)", "Decrease", "Set the control to its value before.", f"{screen}.change_left"
        ),
        Key(
            "right", "control('change', 1)", "Increase", "Set the control to its next value.", f"{screen}.change_right"
        ),
        Key("shift+left,ctrl+left", f"control('change', -{BIG_STEP})", "Big step back", big, f"{screen}.big_left"),
        Key("shift+right,ctrl+right", f"control('change', {BIG_STEP})", "Big step on", big, f"{screen}.big_right"),
        Key("enter", "control('type_value')", "Type a value", "Type a value of the control.", f"{screen}.type_value"),
        Key("backspace", "control('reset')", "Default", "Set the chosen control to its default.", f"{screen}.default"),
    )


@dataclass(frozen=True)
class _Cell:
    """One control as it is drawn. left, arrow: columns where it and its ‹ begin; its › ends it."""

    row: int
    left: int
    arrow: int
    name: str
    value: str
    style: str  # empty: name and value have a style each

    @property
    def right(self) -> int:
        return self.left + len(self.name) + len(self.value)


class ControlRows(DrawnRows):
    """Draws one control per row or, on a wide screen, side by side in as few rows as possible."""

    COMPONENT_CLASSES = components("name", "value", "chosen", "chosen-focused")

    def __init__(
        self, controls: Sequence[PlayControl], settings: PlaySettings, on_point: Callable[[int, int], None]
    ) -> None:
        """on_point: called with the place of a control that the mouse chooses, and by how many steps to change it."""
        super().__init__()
        self._controls, self._on_point = controls, on_point
        self._shown = settings, 0, False

    def show(self, settings: PlaySettings, chosen: int, focused: bool) -> None:
        """Draw these settings, with an arrow on either side of the chosen control."""
        before, self._shown = len(self._drawn), (settings, chosen, focused)
        self.redraw()
        if before and before != len(self._drawn):
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return self._arranged(width)[-1].row + 1

    def rows(self) -> list[Row]:
        rows: list[Row] = [[] for _ in range(self.get_content_height(None, None, self.size.width))]
        for cell in self._arranged(self.size.width):
            rows[cell.row] += [(cell.style or "name", cell.name), (cell.style or "value", cell.value)]
        return rows

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if (place := self._place_under(event)) is not None:
            cell, (_, chosen, _) = self._arranged(self.size.width)[place], self._shown
            by = (event.x >= cell.right - _ARROW_CELLS) - (cell.arrow <= event.x < cell.arrow + _ARROW_CELLS)
            self._on_point(place, by if place == chosen else 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turn_wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turn_wheel(event, -1)

    def _turn_wheel(self, event: events.MouseEvent, by: int) -> None:
        if (place := self._place_under(event)) is not None:
            event.stop()
            self._on_point(place, by)

    def _place_under(self, event: events.MouseEvent) -> int | None:
        cells = enumerate(self._arranged(self.size.width))
        return next((n for n, cell in cells if event.y == cell.row and cell.left <= event.x < cell.right), None)

    def _arranged(self, width: int) -> list[_Cell]:
        """A cell for each control, laid out for this width."""
        settings, chosen, focused = self._shown
        cells: list[_Cell] = []
        row = left = 0
        for place, control in enumerate(self._controls):
            value = visible(control.shown(settings))
            if cell_len(value) > _VALUE_CELLS:
                value = set_cell_size(value, _VALUE_CELLS - 1) + "…"
            style = "" if place != chosen else "chosen-focused" if focused else "chosen"
            if width < _SIDE_BY_SIDE_FROM:
                name = f"{'▸ ' if style else '  '}{control.name}".ljust(_NAME_CELLS)
                framed = (f"‹ {value} ›" if style else f"{value}  ").rjust(_ROW_CELLS - _NAME_CELLS)
                cells.append(_Cell(place, 0, _ROW_CELLS - len(value) - 2 * _ARROW_CELLS, name, framed, style))
                continue
            name = ("‹" if style else " ") + (f"{control.short} " if control.short else "")
            framed = value + ("›" if style else " ")
            if left and left + len(name) + len(framed) > width:
                row, left = row + 1, 0
            cells.append(_Cell(row, left, left, name, framed, style))
            left = cells[-1].right
        return cells


class ControlsPanel(Vertical, can_focus=True):
    """The controls and, while a value is typed, a field for it."""

    HELP = "A changed control acts on the next character, and marks its place in the text."
    TERMS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("top-k", "draw from the k most likely characters only"),
        ("temperature", "below 1 favours likely characters, above 1 evens out; 0 always takes the most likely one"),
        ("top-p", "draw from the fewest most likely characters whose probabilities add up to p"),
        ("min-p", "draw from characters with at least p times the probability of the most likely one"),
        ("DRY", "a penalty on repeating more than 12 characters: its multiplier; 0.8 ends loops"),
        ("ban, only", "Enter types characters that are never written, or the only ones; \\n is a line break"),
        ("pin", "Enter holds a unit while the model writes, such as 2.17=-1 or 2.17+=0.5: layer.unit, its activation"),
        ("seed", "the same seed and controls give the same text; another seed starts over"),
        ("replay ↻", "on: every change writes the whole text again from the prime, with the same seed"),
        ("speed", "characters per second"),
        ("stop", "the text ends behind a line, a paragraph or what you type; g goes on"),
        ("length", "characters after which the text stops; g goes on"),
    )

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("escape", "close_field", "Cancel", "Close the field; nothing changes.", "value.leave", footer=True),
    )
    BINDINGS = bindings_of(KEYS)

    settings: Reactive[PlaySettings] = reactive(PlaySettings, repaint=False)
    chosen: Reactive[int] = reactive(0, repaint=False)

    def __init__(
        self,
        settings: PlaySettings,
        on_change: Callable[[PlayControl, PlaySettings], None],
        *,
        check: Callable[[PlaySettings], None],
        controls: Sequence[PlayControl] = CONTROLS,
        defaults: PlaySettings = DEFAULTS,
    ) -> None:
        """on_change: called with each control that the user changes, and all settings. defaults: to reset one to.

        check: called with settings before; raises ValueError, one line, where a typed value cannot be.
        """
        super().__init__()
        self._controls, self._on_change, self._check, self._defaults = controls, on_change, check, defaults
        self._typed_control = controls[0]
        self._label, self._field = Static("", markup=False), TextField()
        self._error = Static("", classes="controls-panel--error", markup=False)
        self.rows = ControlRows(controls, settings, self._point)
        self.set_reactive(ControlsPanel.settings, settings)

    def compose(self) -> ComposeResult:
        yield Static("controls", classes="controls-panel--heading")
        yield self.rows
        with Horizontal():
            yield self._label
            yield self._field
        yield self._error

    @property
    def control(self) -> PlayControl:
        """The chosen control."""
        return self._controls[self.chosen]

    def choose(self, by: int) -> None:
        """Choose the next control or the one before, wrapping around at the ends."""
        self.chosen = (self.chosen + by) % len(self._controls)

    def change(self, by: int) -> None:
        """Change the chosen control by so many of its steps."""
        typed = self.control.ladder == (None,)
        end = "Enter types a value" if typed else "the end of its values"
        self._set(self.control, self.control.step(self.settings, by), end)

    def toggle(self, control: PlayControl) -> None:
        """Switch a control of two values, chosen or not."""
        self._set(control, control.step(self.settings, -1 if control.value(self.settings) else 1), "")

    def put(self, control: PlayControl, value: Value) -> None:
        """Set a control, chosen or not."""
        if control.value(self.settings) != value:
            self._set(control, control.with_value(self.settings, value), "")

    def reset(self) -> None:
        """Set the chosen control to its default."""
        self._set(self.control, self.control.reset(self.settings, self._defaults), "its default")

    def type_value(self) -> None:
        """Open the field for a value of the chosen control; a control chosen meanwhile does not get the value."""
        self._typed_control = self.control
        self._field.value = self.control.shown(self.settings)
        self._label.update(f"{self.control.name} ▸ ")
        self.add_class("-typing")
        self.screen.set_focus(self._field)  # now: the keys that follow Enter are the value
        self._field.select_all()

    def watch_settings(self) -> None:
        self.rows.show(self.settings, self.chosen, self.has_focus)

    watch_chosen = watch_settings

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.watch_settings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "close_field" or self.has_class("-typing")

    def action_close_field(self) -> None:
        """Leave the field; the control keeps its value."""
        self.screen.set_focus(self)
        self.remove_class("-typing", "-wrong")

    def _point(self, place: int, by: int) -> None:
        self.chosen = place
        if by:
            self.change(by)

    @on(Input.Submitted)
    def value_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            settings = self._typed_control.typed(self.settings, event.value)
            self._check(settings)
        except ValueError as error:
            self._error.update(visible(str(error)))
            self.add_class("-wrong")
        else:
            self.action_close_field()
            self._set(self._typed_control, settings, "what was typed")

    @on(Input.Changed)
    def value_edited(self, event: Input.Changed) -> None:
        event.stop()
        self.remove_class("-wrong")

    def _set(self, control: PlayControl, settings: PlaySettings, what: str) -> None:
        """what: what the value is, for the message if nothing changes."""
        if settings != self.settings:
            self.settings = settings
            self._on_change(control, settings)
        else:
            self.notify(visible(f"{control.name} stays {control.shown(settings)}, {what}"), markup=False)
