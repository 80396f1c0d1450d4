"""Where a text surprises a model: the loss of each character, the worst places, and means by kind and by position."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.classes import CLASSES, classes_of
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.scoring import Predictions, predictions
from charrnn_tui.text.vocabulary import Ids

APART = 20  # characters between two places that are listed, at least: one surprise often brings the next
WORD_POSITIONS = ("1", "2", "3", "4", "5", "6", "7–9", "10+")
LINE_POSITIONS = ("1", "2–10", "11–20", "21–40", "41–60", "61–80", "81+")
_WORD_FROM, _LINE_FROM = (2, 3, 4, 5, 6, 7, 10), (2, 11, 21, 41, 61, 81)

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Some of the characters of a text: how many, and their mean loss, nats/char."""

    name: str
    chars: int
    loss: float


@dataclass(frozen=True, eq=False)
class Surprise:
    """The characters of a text behind the first one, which nothing predicts, under a model.

    losses: (T - 1,), nats; entry t is of text[t + 1]. expected: (T - 1,), ids of the likeliest characters there;
    expected_losses: (T - 1,), nats, what they would have cost.
    """

    text: str
    losses: NDArray[np.float64]
    expected: NDArray[np.int64]
    expected_losses: NDArray[np.float64]

    @property
    def loss(self) -> float:
        """The mean, nats/char."""
        return float(self.losses.mean())

    def worst(self, most: int) -> list[int]:
        """Places in the text, counted from 0, of the characters with the largest losses, the largest first.

        At least APART characters apart: of neighbours the worst one.
        """
        found: list[int] = []
        taken = np.zeros(len(self.text) + APART, np.bool_)
        for place in (np.argsort(-self.losses, kind="stable") + 1).tolist():
            if len(found) == most:
                break
            if not taken[place]:
                found.append(place)
                taken[max(0, place - APART + 1) : place + APART] = True
        return found

    def by_kind(self) -> list[Group]:
        """Of each of CLASSES that the text has."""
        return self._groups(CLASSES, classes_of(self.text))

    def by_word_position(self) -> list[Group]:
        """Of the letters at each of WORD_POSITIONS, counted from 1, in words of letters alone."""
        letters = np.fromiter(map(str.isalpha, self.text), np.bool_, len(self.text))
        return self._groups(WORD_POSITIONS, _binned(_since(~letters), _WORD_FROM, letters))

    def by_line_position(self) -> list[Group]:
        """Of the characters at each of LINE_POSITIONS, counted from 1; a line feed is the last one of its line."""
        line_feeds = np.fromiter((char == "\n" for char in self.text), np.bool_, len(self.text))
        columns = _since(np.append(True, line_feeds[:-1])) + 1
        return self._groups(LINE_POSITIONS, _binned(columns, _LINE_FROM))

    def _groups(self, names: tuple[str, ...], numbers: Counts) -> list[Group]:
        """numbers: of the group of each character, (T,), -1 for none."""
        there = numbers[1:] >= 0
        chars = np.bincount(numbers[1:][there], minlength=len(names)).tolist()
        losses = np.bincount(numbers[1:][there], self.losses[there], len(names)).tolist()
        return [
            Group(name, count, loss / count) for name, count, loss in zip(names, chars, losses, strict=True) if count
        ]


class SurpriseReading:
    """Reads a text in one pass."""

    def __init__(self, model: CharModel, ids: Ids, text: str) -> None:
        """ids: of the text, (T,)."""
        self._model, self._ids, self._text = model, ids, text
        self._pieces: list[Predictions] = []

    def run(self) -> Iterator[int]:
        """Read; yields the number of characters read since the last time. Raises TextTooShort below two characters."""
        for piece in predictions(self._model, self._ids):
            self._pieces.append(piece)
            yield len(piece.losses)

    @property
    def found(self) -> Surprise:
        """Of what has been read."""
        losses, expected, expected_losses = (
            np.concatenate(column)
            for column in zip(
                *((each.losses, each.expected, each.expected_losses) for each in self._pieces), strict=True
            )
        )
        return Surprise(self._text[: len(losses) + 1], losses, expected, expected_losses)


def _since(marked: NDArray[np.bool_]) -> Counts:
    """How many characters ago the last marked one was, 0 for itself; the beginning counts as behind one."""
    places = np.arange(len(marked))
    return places - np.maximum.accumulate(np.where(marked, places, -1))


def _binned(positions: Counts, bounds: tuple[int, ...], there: NDArray[np.bool_] | None = None) -> Counts:
    """The number of the bin of each position, (T,), -1 where there is none."""
    bins: Counts = np.digitize(positions, bounds)
    return bins if there is None else np.where(there, bins, -1)
