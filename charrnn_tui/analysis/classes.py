"""The loss of a text by what kind of character is predicted, and how it fell in a training."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEARNED = 0.9  # of what a class's loss falls in all: when so much is done, it counts as learned
CLASSES = ("space", "newline", "first", "inside", "capital", "digit", "quote", "other")
_QUOTES = "\"'“”„«»‘’"


def classes_of(text: str) -> NDArray[np.int64]:
    """For each character the index of its class in CLASSES, (T,).

    Other letters than capitals are the first of a word or inside one; `other` are punctuation and signs.
    """
    found = np.empty(len(text), np.int64)
    before = " "
    for place, char in enumerate(text):
        if char.isspace():
            name = "newline" if char == "\n" else "space"
        elif char.isupper():
            name = "capital"
        elif char.isalpha():
            name = "inside" if before.isalpha() else "first"
        elif char.isdecimal():
            name = "digit"
        else:
            name = "quote" if char in _QUOTES else "other"
        found[place], before = CLASSES.index(name), char
    return found


def class_losses(classes: NDArray[np.int64], losses: NDArray[np.float64]) -> list[float | None]:
    """The mean loss of each class, nats/char; None where the text has none. classes, losses: (N,)."""
    counts = np.bincount(classes, minlength=len(CLASSES))
    sums = np.bincount(classes, losses, len(CLASSES))
    return [float(total / count) if count else None for total, count in zip(sums, counts, strict=True)]


def learned_at(steps: Sequence[int], losses: Sequence[float]) -> int | None:
    """The first of the steps by which LEARNED of the whole fall of these losses is done; None if they do not fall."""
    least = min(losses, default=0.0)
    if not losses or losses[0] <= least:
        return None
    return next(
        step for step, loss in zip(steps, losses, strict=True) if losses[0] - loss >= LEARNED * (losses[0] - least)
    )
