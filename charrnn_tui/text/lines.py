"""The lines of an encoded text, found without decoding it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from charrnn_tui.text.vocabulary import Ids, Vocabulary


class Lines:
    """What stands between the line feeds, each without its own. Memory: 8 bytes a line."""

    def __init__(self, ids: Ids, vocabulary: Vocabulary) -> None:
        """ids: (characters,), in the vocabulary's numbers."""
        self._ids, self._vocabulary = ids, vocabulary
        line_feed = vocabulary.index.get("\n")
        self._ends = np.append(np.flatnonzero(ids == line_feed) if line_feed is not None else [], len(ids)).astype(int)

    def __len__(self) -> int:
        """A line feed at the very end is followed by an empty line."""
        return len(self._ends)

    def line(self, number: int) -> str:
        """The line of this number, from 0."""
        start = self._ends[number - 1] + 1 if number else 0
        return self._vocabulary.decode(self._ids[start : self._ends[number]])

    def draw(self, seed: int) -> int | None:
        """The number of a line that is not blank, each as likely as any other; None where all are."""
        numbers = random.Random(seed)
        for _ in range(100):
            number = numbers.randrange(len(self))
            if self.line(number).strip():
                return number
        # Hardly any are not: look at all, in an order without favourites.
        return next((n for n in numbers.sample(range(len(self)), len(self)) if self.line(n).strip()), None)
