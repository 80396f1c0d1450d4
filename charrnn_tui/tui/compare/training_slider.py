"""A slider through a training: a tick for each checkpoint that its run has kept."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

_WIDEST_GAP: Final = 4  # cells from tick to tick
_NARROWEST: Final = 8  # cells for the bar, before words are left out for it


class TrainingSlider(Widget):
    """One row: words about the model, and a bar on which it stands at its tick, or between two."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"training-slider--bar", "training-slider--here"}
    DEFAULT_CSS = """
    TrainingSlider {
        height: 1; padding: 0 1; color: $text-muted;
        & .training-slider--bar { color: $text-muted; }
        & .training-slider--here { color: $text-accent; text-style: bold; }
    }
    """

    @dataclass
    class StepAsked(Message):
        """The mouse asks for the checkpoint of this step."""

        slider: "TrainingSlider"
        step: int

        @property
        def control(self) -> "TrainingSlider":
            return self.slider

    def __init__(self) -> None:
        super().__init__()
        self._steps: Sequence[int] = ()
        self._step = 0
        self._words: Sequence[str] = ()

    def show(self, steps: Sequence[int], step: int, words: Sequence[str]) -> None:
        """steps: of the checkpoints, rising, at least one. words: the most wanted first."""
        if (steps, step, words) != (self._steps, self._step, self._words):
            self._steps, self._step, self._words = steps, step, words
            self.refresh()

    def neighbour(self, by: int) -> int:
        """The step of the checkpoint before (-1) or after (1) the one in hand; the first or last one where none is."""
        steps = self._steps
        place = bisect_left(steps, self._step) - 1 if by < 0 else bisect_right(steps, self._step)
        return steps[max(0, min(len(steps) - 1, place))]

    @property
    def ends(self) -> tuple[int, int]:
        """The first and the last step."""
        return self._steps[0], self._steps[-1]

    def render_line(self, y: int) -> Strip:
        words = self._words_shown()
        left, right, cells = self._bar(self.size.width - len(words))
        bar, here = (self.get_component_rich_style(f"training-slider--{name}") for name in ("bar", "here"))
        place = self._here(cells)
        sign = "●" if self._step in self._steps else "◆"
        ticks = "".join("┼" if cell in cells else "─" for cell in range(right - left))
        segments = [Segment(words, self.rich_style), Segment(ticks[:place], bar), Segment(sign, here)]
        segments.append(Segment(ticks[place + 1 :], bar))
        return Strip(segments).crop_extend(0, self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or not self._steps:
            return
        left, _, cells = self._bar(self.size.width - len(self._words_shown()))
        column = offset.x - len(self._words_shown())
        if column >= left:
            nearest = min(range(len(cells)), key=lambda place: abs(cells[place] - column))
            self.post_message(self.StepAsked(self, self._steps[nearest]))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.StepAsked(self, self.neighbour(1)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.StepAsked(self, self.neighbour(-1)))

    def _words_shown(self) -> str:
        """As many as leave room for the bar."""
        words = list(self._words)
        while words and len(" · ".join(words)) + 1 > self.size.width - _NARROWEST:
            words.pop()
        return " · ".join(words) + " " if words else ""

    def _bar(self, room: int) -> tuple[int, int, list[int]]:
        """(left, right, the cell of each tick)."""
        gaps = max(1, len(self._steps) - 1)
        width = max(1, min(room, _WIDEST_GAP * gaps + 1))
        return 0, width, [round(place * (width - 1) / gaps) for place in range(len(self._steps))]

    def _here(self, cells: Sequence[int]) -> int:
        """The cell of the model in hand: on its tick, or in the middle between two."""
        place = bisect_left(self._steps, self._step)
        if place == len(self._steps):
            return cells[-1]
        if self._steps[place] == self._step or place == 0:
            return cells[place]
        return (cells[place - 1] + cells[place]) // 2
