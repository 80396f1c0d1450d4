"""The lines of an encoded text, found without decoding it."""

import random
from typing import Final

import numpy as np

from charrnn_tui.text.vocabulary import Ids, Vocabulary

MEASURED: Final = 4_000_000  # characters at the beginning of a text, which say how long its lines are


class Lines:
    """The lines of a text, without their line feeds. Memory: 8 bytes a line."""

    def __init__(self, ids: Ids, vocabulary: Vocabulary) -> None:
        """ids: (characters,), of the vocabulary."""
        self._ids, self._vocabulary = ids, vocabulary
        line_feed = vocabulary.index.get("\n")
        self._ends = np.append(np.flatnonzero(ids == line_feed) if line_feed is not None else [], len(ids)).astype(int)

    def __len__(self) -> int:
        """How many lines; a line feed at the end is followed by an empty one."""
        return len(self._ends)

    def line(self, number: int) -> str:
        """The line of this number, counted from 0."""
        start = self._ends[number - 1] + 1 if number else 0
        return self._vocabulary.decode(self._ids[start : self._ends[number]])

    def draw(self, seed: int) -> int | None:
        """The number of a random line that is not blank, all equally likely; None if all lines are blank."""
        numbers = random.Random(seed)
        for _ in range(100):
            number = numbers.randrange(len(self))
            if self.line(number).strip():
                return number
        # Nearly all lines are blank: try every one, in random order.
        return next((n for n in numbers.sample(range(len(self)), len(self)) if self.line(n).strip()), None)


def median_line_length(ids: Ids, vocabulary: Vocabulary) -> int | None:
    """The median length, in characters, of the lines that are not empty; None where there is none.

    Of a long text, that of its beginning.
    """
    beginning = ids[:MEASURED]
    ends = np.flatnonzero(beginning == vocabulary.index.get("\n", len(vocabulary)))
    lengths = np.diff(ends, prepend=-1, append=len(beginning)) - 1
    lengths = lengths[lengths > 0]
    return int(np.median(lengths)) if len(lengths) else None
