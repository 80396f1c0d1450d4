"""How far back a model remembers: its loss when it has seen few characters, and which of them decided a choice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.char_model import CharModel, HiddenState
from charrnn_tui.sampling.distribution import log_probabilities
from charrnn_tui.sampling.pins import Pin
from charrnn_tui.sampling.scoring import cross_entropy, sequence_losses
from charrnn_tui.text.vocabulary import Ids

CONTEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)  # characters
LAST = 40  # characters that are left out in turn, where it is shown which of them decided one
ROWS = 64  # texts that are read at once
STRIDE = 250  # characters from one beginning to the next


@dataclass(frozen=True)
class ContextLoss:
    """What a model loses that sees only `context` characters, from a zero state, before the one it predicts.

    difference: mean of its loss minus that after the whole text before, at the same `positions`, nats/char. Only the
    difference is taken from so few positions: the losses themselves vary much more from one position to the next.
    """

    context: int
    difference: float
    positions: int


class MemoryStudy:
    """Reads a text again from many places, each time with an empty memory, up to the longest context.

    At 2 × 512 units a text of 100,000 characters takes as long as scoring five times as much.
    """

    def __init__(self, model: CharModel, ids: Ids) -> None:
        """ids: (T,). Raises TextTooShort for fewer than two characters."""
        self._model, self._ids = model, ids
        self.starts = np.arange(0, len(ids) - 1, STRIDE)  # of the readings
        self.contexts = [context for context in CONTEXTS if context < len(ids)]
        self._whole = np.empty(0)
        self._differences = np.zeros(len(self.contexts))  # summed
        self._positions = np.zeros(len(self.contexts), np.int64)

    @property
    def length(self) -> int:
        """Characters that `run` will read."""
        return len(self._ids) - 1 + len(self.starts) * (self.contexts[-1] if self.contexts else 0)

    def run(self) -> Iterator[int]:
        """Read; yields the number of characters read since the last time. May be stopped between any two."""
        pieces = []
        for piece in sequence_losses(self._model, self._ids):  # entry t is of ids[t + 1]
            pieces.append(piece)
            yield len(piece)
        self._whole = np.concatenate(pieces)
        for begin in range(0, len(self.starts), ROWS):
            starts = self.starts[begin : begin + ROWS]
            yield from self._read_from(starts)

    def _read_from(self, starts: NDArray[np.int64]) -> Iterator[int]:
        state, last = self._model.initial_state(len(starts)), len(self._ids) - 1
        for step in range(self.contexts[-1]):
            places = np.minimum(starts + step, last - 1)
            logits, state = self._model.step(np.asarray(self._ids[places]), state)
            if step + 1 in self.contexts:
                there = starts + step < last  # a next character is known
                losses = cross_entropy(logits, np.asarray(self._ids[places + 1]))
                row = self.contexts.index(step + 1)
                self._differences[row] += (losses - self._whole[places])[there].sum()
                self._positions[row] += int(there.sum())
            yield len(starts)

    @property
    def whole(self) -> float:
        """The loss of the text in one pass, nats/char."""
        return float(self._whole.mean())

    @property
    def losses(self) -> list[ContextLoss]:
        """For each context that any position has, the shortest first."""
        return [
            ContextLoss(context, float(difference / count), int(count))
            for context, difference, count in zip(self.contexts, self._differences, self._positions, strict=True)
            if count
        ]


def influences(
    model: CharModel, ids: Ids, state: HiddenState | None = None, pins: Sequence[Pin] = ()
) -> NDArray[np.float64]:
    """How much each of these characters changed what comes next: (len(ids),), from 0 to 1. pins: of the writing.

    The text is read again without the character, from the same state before (None: zero); the entry is the total
    variation between both distributions of the next character, half the sum of the differences of probabilities.
    """
    n = len(ids)
    if n == 0:
        return np.empty(0)
    before = model.initial_state() if state is None else state
    rows = np.stack([np.delete(np.asarray(ids), place) for place in range(n)])  # (n, n - 1)
    h, c = (np.repeat(part[:, np.newaxis], n, axis=1) for part in (before.h, before.c))
    without = HiddenState(h, c)
    logits = None
    for column in rows.T:
        logits, without = model.step(column, without, pins)
    after = None
    for token_id in np.asarray(ids).tolist():
        after, before = model.step(token_id, before, pins)
    assert after is not None
    if logits is None:  # nothing is left of the one character: compare with the state before it, which has no logits
        return np.ones(1)
    shares = np.exp(log_probabilities(np.concatenate([after[np.newaxis], logits])))
    distances: NDArray[np.float64] = np.abs(shares[1:] - shares[0]).sum(-1) / 2
    return distances
