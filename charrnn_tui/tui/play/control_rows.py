"""The rows of the controls: names, values, the chosen one with its arrows; what the mouse asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widget import Widget

from charrnn_tui.playground.controls import CONTROLS, DEFAULTS, PlayControl, PlaySettings

_NAME_CELLS: Final = 14
_VALUE_CELLS: Final = 9
_ROW_CELLS: Final = _NAME_CELLS + _VALUE_CELLS + 4
_ARROW_CELLS: Final = 2
_FLOWS_FROM: Final = _ROW_CELLS + 6


@dataclass(frozen=True)
class Cell:
    """Where a control is drawn."""

    row: int
    left: int
    right: int
    arrow: int
    """Where the sign of a chosen one begins that changes it to the left; the other one ends it."""


class ControlRows(Widget):
    """One row a control; where there is more width than that needs, one beside the other in as few rows as will do."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "control-rows--name",
        "control-rows--value",
        "control-rows--chosen",
        "control-rows--chosen-focused",
    }
    DEFAULT_CSS = """
    ControlRows {
        height: auto;
        & .control-rows--name { color: $text-muted; }
        & .control-rows--value { text-style: bold; }
        & .control-rows--chosen { text-style: bold; color: $text-primary; }
        & .control-rows--chosen-focused { text-style: bold reverse; color: $text-primary; }
    }
    """

    settings: Reactive[PlaySettings] = reactive(DEFAULTS, repaint=False)
    chosen: Reactive[int] = reactive(0, repaint=False)
    lit: Reactive[bool] = reactive(False, repaint=False)
    """Whether the panel has the focus."""

    @dataclass
    class Pointed(Message):
        """The mouse asks: choose this control and, unless by is 0, change it."""

        place: int
        by: int

    def __init__(self, knobs: Sequence[PlayControl] = CONTROLS) -> None:
        super().__init__()
        self._knobs = knobs

    def watch_settings(self, before: PlaySettings, settings: PlaySettings) -> None:
        if self._flows(self.size.width):
            self.refresh(layout=self._cells(before, self.size.width) != self._cells(settings, self.size.width))
            return
        for row, knob in enumerate(self._knobs):
            if knob.value(before) != knob.value(settings):
                self._refresh_row(row)

    def watch_chosen(self, before: int, chosen: int) -> None:
        for place in (before, chosen):
            self._refresh_row(place)

    def watch_lit(self) -> None:
        self._refresh_row(self.chosen)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return self._cells(self.settings, width)[-1].row + 1

    def render_line(self, y: int) -> Strip:
        segments: list[Segment] = []
        flowing = self._flows(self.size.width)
        for place, cell in enumerate(self._cells(self.settings, self.size.width)):
            if cell.row == y:
                segments += self._flowing_segments(place) if flowing else self._row_segments(place)
        return Strip(segments).crop_extend(0, self.size.width, self.rich_style)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        place, left = self._place_under(event)
        if place is not None:
            cell = self._cells(self.settings, self.size.width)[place]
            by = (left >= cell.right - _ARROW_CELLS) - (cell.arrow <= left < cell.arrow + _ARROW_CELLS)
            self.post_message(self.Pointed(place, by if place == self.chosen else 0))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        place, _ = self._place_under(event)
        if place is not None:
            event.stop()
            self.post_message(self.Pointed(place, by))

    def _place_under(self, event: events.MouseEvent) -> tuple[int | None, int]:
        for place, cell in enumerate(self._cells(self.settings, self.size.width)):
            if event.y == cell.row and cell.left <= event.x < cell.right:
                return place, event.x
        return None, event.x

    def _refresh_row(self, place: int) -> None:
        row = self._cells(self.settings, self.size.width)[place].row
        self.refresh(Region(0, row, self.size.width, 1))

    def _flows(self, width: int) -> bool:
        return width >= _FLOWS_FROM

    def _cells(self, settings: PlaySettings, width: int) -> list[Cell]:
        if not self._flows(width):
            arrows = [_ROW_CELLS - len(knob.shown(settings)) - 4 for knob in self._knobs]
            return [Cell(row, 0, _ROW_CELLS, arrow) for row, arrow in enumerate(arrows)]
        cells: list[Cell] = []
        row = left = 0
        for knob in self._knobs:
            needed = len(_flowing_words(knob, settings)) + 2
            if left and left + needed > width:
                row, left = row + 1, 0
            cells.append(Cell(row, left, left + needed, left))
            left += needed
        return cells

    def _chosen_style(self) -> str:
        return "chosen-focused" if self.lit else "chosen"

    def _row_segments(self, place: int) -> list[Segment]:
        knob, chosen = self._knobs[place], place == self.chosen
        name = ("▸ " if chosen else "  ") + knob.name
        value = knob.shown(self.settings)
        value = (f"‹ {value} ›" if chosen else f"{value}  ").rjust(_ROW_CELLS - _NAME_CELLS)
        return [
            self._segment(self._chosen_style() if chosen else "name", name.ljust(_NAME_CELLS)),
            self._segment(self._chosen_style() if chosen else "value", value),
        ]

    def _flowing_segments(self, place: int) -> list[Segment]:
        knob, chosen = self._knobs[place], place == self.chosen
        if chosen:
            return [self._segment(self._chosen_style(), f"‹{_flowing_words(knob, self.settings)}›")]
        name = _flowing_name(knob)
        return [self._segment("name", f" {name}"), self._segment("value", knob.shown(self.settings) + " ")]

    def _segment(self, name: str, text: str) -> Segment:
        return Segment(text, self.get_component_rich_style(f"control-rows--{name}"))


def _flowing_name(knob: PlayControl) -> str:
    return f"{knob.short} " if knob.short else ""


def _flowing_words(knob: PlayControl, settings: PlaySettings) -> str:
    return _flowing_name(knob) + knob.shown(settings)
