"""A slider through a training: a tick for each checkpoint that its run has kept."""

from bisect import bisect_left
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.widget import Widget

from charrnn_tui.playground.comparison import Side, Stage

_WIDEST_GAP = 4  # cells from tick to tick
_LEAST_CELLS = 8  # for the bar, before facts are left out for it


class TrainingSlider(Widget):
    """One row: facts of the model, and a bar on which it stands at its tick, or between two."""

    stage: Reactive[Stage | None] = reactive(None)

    @dataclass
    class Moved(Message):
        """The mouse asks for the checkpoint of a step."""

        side: Side
        step: int

    def __init__(self, side: Side) -> None:
        super().__init__()
        self._side = side

    def render(self) -> Text:
        stage = self.stage
        if stage is None:
            return Text()
        facts, ticks = self._facts(stage), self._ticks(stage)
        place = bisect_left(stage.steps, stage.step)
        known = place < len(stage.steps) and stage.steps[place] == stage.step
        between = 0 < place < len(stage.steps) and not known
        here = (ticks[place - 1] + ticks[place]) // 2 if between else ticks[min(place, len(ticks) - 1)]
        bar = "".join("┼" if cell in ticks else "─" for cell in range(ticks[-1] + 1))
        model = ("●" if known else "◆", "bold")
        return Text.assemble(facts, bar[:here], model, bar[here + 1 :], no_wrap=True)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and self.stage is not None and offset.x >= len(facts := self._facts(self.stage)):
            ticks, column = self._ticks(self.stage), offset.x - len(facts)
            nearest = min(range(len(ticks)), key=lambda place: abs(ticks[place] - column))
            self.post_message(self.Moved(self._side, self.stage.steps[nearest]))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._move_by(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._move_by(event, -1)

    def _move_by(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        if self.stage is not None:
            self.post_message(self.Moved(self._side, self.stage.step_beside(by)))

    def _facts(self, stage: Stage) -> str:
        """As many as leave room for the bar."""
        facts = list(stage.facts)
        while facts and len(" · ".join(facts)) + 1 > self.content_size.width - _LEAST_CELLS:
            facts.pop()
        return " · ".join(facts) + " " if facts else ""

    def _ticks(self, stage: Stage) -> list[int]:
        """The cell of each checkpoint."""
        gaps = max(1, len(stage.steps) - 1)
        width = max(1, min(self.content_size.width - len(self._facts(stage)), _WIDEST_GAP * gaps + 1))
        return [round(place * (width - 1) / gaps) for place in range(len(stage.steps))]
