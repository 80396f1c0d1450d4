"""A lens that shows what one unit of the network does: the tanh of its cell behind each character."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from textual.geometry import clamp

from charrnn_tui.playground.activations import Activations
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.tui.textview.lens import LOW_TO_HIGH, Lens, Page
from charrnn_tui.tui.textview.visible import symbol_of

_BOUNDS: Final = (-0.6, -0.2, 0.2, 0.6)
_LABELS: Final = (" ≤-.6 ", " ≤-.2 ", " 0 ", " ≥.2 ", " ≥.6 ")


class UnitLens:
    """Layer and unit are counted from 1; in a text by a smaller network the nearest that it has is shown."""

    def __init__(self, activations: Activations) -> None:
        self._activations = activations
        self.layer = self.unit = 1
        scale = tuple(zip(_LABELS, LOW_TO_HIGH, strict=True))
        self.lens = Lens(
            "unit", "tanh of the cell of one unit: where it is low, where high", scale, self._classes, self._figures
        )

    def step(self, text: GeneratedText, by: int) -> None:
        """Another unit, through all layers, and around at the ends."""
        width, layers = text.network.n_hidden, text.network.n_layers
        self.layer, self.unit = (1 + part for part in divmod((self._index(text) + by) % (layers * width), width))

    def step_layer(self, text: GeneratedText, by: int) -> None:
        """The same unit of another layer, and around at the ends."""
        self.step(text, by * text.network.n_hidden)

    def values(self, text: GeneratedText, start: int, end: int) -> list[float]:
        """At the characters [start, end) of prime and text; NaN where it is being computed."""
        found: list[float] = self._activations.of(text, self._index(text), start, end).tolist()
        return found

    def _index(self, text: GeneratedText) -> int:
        self.layer = clamp(self.layer, 1, text.network.n_layers)
        self.unit = clamp(self.unit, 1, text.network.n_hidden)
        return (self.layer - 1) * text.network.n_hidden + self.unit - 1

    def _classes(self, text: GeneratedText, start: int, end: int) -> Sequence[int]:
        values = self._activations.of(text, self._index(text), start, end)
        known = np.isfinite(values).tolist()
        steps = np.digitize(values, _BOUNDS).tolist()
        return [LOW_TO_HIGH[step] if there else -1 for step, there in zip(steps, known, strict=True)]

    def _figures(self, page: Page) -> Sequence[str]:
        """Layer and unit, and its value at the cursor or at the last character."""
        self._index(page.text)
        name, place = f"{self.layer}.{self.unit}", page.place
        if place < 0:
            return [name]
        (value,) = self.values(page.text, place, place + 1)
        if not np.isfinite(value):
            return [name]
        return [name, f"{name} {value:+.2f}", f"{name}: {value:+.2f} behind {symbol_of(page.character(place))}"]
