"""How a training learned a text: a row for each of its models, a column for each character, dark where it surprises."""

from textwrap import wrap
from typing import ClassVar, Final

import numpy as np

from charrnn_tui.analysis.classes import LEARNED
from charrnn_tui.analysis.learning import Learning
from charrnn_tui.tui.chart.axes import step_label
from charrnn_tui.tui.chart.cells import one_cell
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.play.drawn_rows import DrawnRows, Row, components

BOUNDS: Final = (0.5, 1.0, 2.0, 4.0)  # nats, between the five shades
SHADES: Final = " ░▒▓█"
_LABELS: Final = ("nothing below 0.5", "0.5", "1", "2", "4 nats and more")
_GUTTER: Final = 14  # cells: step and mean loss
_LEAST_ROWS: Final = 2  # of models


class LearningStrip(DrawnRows, can_focus=True):
    """The surprise of each character under each model; below it when each kind of character was learned."""

    COMPONENT_CLASSES = components("head", "figures", *(f"surprise-{shade}" for shade in range(len(SHADES))))
    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("left", "pan(-1)", "Back", "Show the characters before.", "learning.left"),
        Key("right", "pan(1)", "On", "Show the characters after.", "learning.right"),
        Key("home", "home", "Beginning", "Show the first characters.", "learning.home"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, learning: Learning) -> None:
        super().__init__()
        self._learning, self._first = learning, 0
        self._shades = np.digitize(learning.losses, BOUNDS)  # (models, characters)

    @property
    def _columns(self) -> int:
        return max(1, self.size.width - _GUTTER)

    def rows(self) -> list[Row]:
        below = self._summary()
        models = self.models_in(self.size.height - len(below) - 2)
        shown = slice(self._first, self._first + self._columns)
        characters = "".join(map(one_cell, self._learning.text[1:][shown].replace("\n", "⏎")))
        head: Row = [("figures", f"{'step':>6}  {'nats':>5} "), ("head", characters)]
        return [head, *(self._model_row(model, shown) for model in models), [], *below]

    def models_in(self, room: int) -> list[int]:
        """Which models have one of so many rows: all, or some, evenly, with the first and the last."""
        count = len(self._learning.steps)
        chosen = np.linspace(0, count - 1, min(count, max(_LEAST_ROWS, room)))
        return [round(place) for place in chosen.tolist()]

    def _model_row(self, model: int, shown: slice) -> Row:
        step, loss = self._learning.steps[model], self._learning.totals[model]
        label = "–" if step is None else step_label(step)
        row: Row = [("figures", f"{label:>6}  {loss:>5.2f} ")]
        row += [(f"surprise-{shade}", SHADES[shade]) for shade in self._shades[model, shown].tolist()]
        return row

    def _summary(self) -> list[Row]:
        scale: Row = [("figures", "surprise:")]
        for shade, label in enumerate(_LABELS):
            scale += [(f"surprise-{shade}", (SHADES[shade] * 2).lstrip()), ("figures", f" {label}  ")]
        learned = sorted((step, name) for name, step in self._learning.learned.items() if step is not None)
        named = ", ".join(f"{name} {step:,}" for step, name in learned) or "nothing yet"
        lines = wrap(f"learned ({LEARNED:.0%} of the fall of the loss) by step: {named}", max(20, self.size.width))
        return [scale, *([("", line)] for line in lines)]

    def action_pan(self, direction: int) -> None:
        """Move by half of what is shown."""
        last = max(0, self._shades.shape[1] - self._columns)
        self._first = min(max(0, self._first + direction * max(1, self._columns // 2)), last)
        self.redraw()

    def action_home(self) -> None:
        self._first = 0
        self.redraw()
