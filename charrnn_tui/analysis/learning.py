"""How a training learned: what the models of its steps lose on the same text, and when each kind of character came."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.classes import CLASSES, class_losses, classes_of, learned_at


@dataclass(frozen=True, eq=False)
class Learning:
    """steps: of the models, K of them, by step; None where a file does not say. losses: (K, len(text) - 1), nats.

    Column t of the losses is of text[t + 1]: nothing predicts the first character.
    """

    text: str
    steps: Sequence[int | None]
    losses: NDArray[np.float32]

    @cached_property
    def totals(self) -> list[float]:
        """The mean loss of each model, nats/char."""
        means: list[float] = self.losses.mean(axis=1, dtype=np.float64).tolist()
        return means

    @cached_property
    def by_class(self) -> list[list[float | None]]:
        """Of each model the mean loss of each of CLASSES, nats/char; None where the text has none."""
        classes = classes_of(self.text)[1:]
        return [class_losses(classes, losses.astype(np.float64)) for losses in self.losses]

    @cached_property
    def learned(self) -> dict[str, int | None]:
        """For each of CLASSES the step at which it counts as learned; None where its loss does not fall."""
        steps = [step or 0 for step in self.steps]
        columns = zip(*self.by_class, strict=True)
        found = [learned_at(steps, [loss for loss in column if loss is not None]) for column in columns]
        return dict(zip(CLASSES, found, strict=True))
