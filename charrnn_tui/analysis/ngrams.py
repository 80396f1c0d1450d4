"""Is a model better than counting? Interpolated n-gram models with modified Kneser–Ney smoothing of the same text.

The probability of character w after the n - 1 characters u is (Chen & Goodman 1999, section 4.1.6)

    p_n(w | u) = max(a(uw) - D(a(uw)), 0) / S(u) + (D1 N1(u) + D2 N2(u) + D3 N3(u)) / S(u) * p_{n-1}(w | u')

with u' all of u but its first character; a(uw) how often uw occurs or, below the highest order, after how many
different characters it does; S(u) the sum of a over w; Nk(u) how many w have a = k (N3: 3 or more); D1, D2, D3 the
discounts of the order, from how many n-grams have a = 1 … 4. p_0 is uniform. Where no n-gram begins with u, the shorter
context alone predicts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.windows import Numbers, character_numbers, find, longer
from charrnn_tui.text.batches import TextTooShort
from charrnn_tui.text.vocabulary import Ids

LONGEST = 20
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NgramLoss:
    """Of the held-out text under the n-gram model of order n, nats/char."""

    n: int
    loss: float


def ngram_losses(train: Ids, held_out: Ids, tokens: int, longest: int = LONGEST) -> Iterator[NgramLoss]:
    """The losses of the models of order 1 to `longest`, one after the other; the caller may stop between any two.

    Every character but the first is predicted, the first `n - 1` from the characters before it that there are. Orders
    longer than the training text are left out. Takes half a second for an order and a million characters, and 100
    bytes a character. Raises TextTooShort for a text of fewer than two characters.
    """
    if min(len(train), len(held_out)) < 2:
        raise TextTooShort("n-grams need at least two characters in the training and in the held-out part")
    singles, read = character_numbers(train, tokens), character_numbers(held_out, tokens)
    lower = np.full(len(held_out), 1 / tokens)  # p_{n-1} of each character, with the counts of shorter orders
    grams, texts = np.zeros(len(train) + 1, np.uint64), np.zeros(len(held_out) + 1, np.uint64)  # of n - 1 characters
    for n in range(1, min(longest, len(train)) + 1):
        contexts, before = grams, texts  # at i: characters i to i + n - 2
        grams, texts = longer(contexts[:-1], singles[n - 1 :], 1), longer(before[:-1], read[n - 1 :], 1)
        counts = _Counts(grams, contexts[: len(grams)])
        known = lower.copy()  # the first n - 1 characters have no context of this order
        known[n - 1 :] = counts.probabilities(texts, before[: len(texts)], lower[n - 1 :])
        yield NgramLoss(n, float(-np.log(known[1:]).mean()))
        if n < longest and n < len(train):
            _, place = np.unique(longer(grams[:-1], singles[n:], 1), return_index=True)  # each (n + 1)-gram once
            after = place + 1  # the n-gram that it ends with: so a is after how many different characters it comes
            started = np.append(after, 0)  # that at the beginning of the text comes after none: count it once
            counts = _Counts(grams[started], contexts[started])
            lower[n - 1 :] = counts.probabilities(texts, before[: len(texts)], lower[n - 1 :])


class _Counts:
    """a of each n-gram, and the sums of each context, as sorted arrays to look up in."""

    def __init__(self, grams: Numbers, contexts: Numbers) -> None:
        """Of windows that each count once, and what they begin with: all but the last character."""
        self._grams, place, self._a = np.unique(grams, return_index=True, return_counts=True)
        self._contexts, of_gram = np.unique(contexts[place], return_inverse=True)
        size = len(self._contexts)
        self._sums = np.bincount(of_gram, self._a, size)
        self._discounts = _discounts(self._a)  # (4,): of a = 0, 1, 2, 3 and more
        self._reserved = np.bincount(of_gram, self._discounts[np.minimum(self._a, 3)], size) / self._sums

    def probabilities(self, grams: Numbers, contexts: Numbers, lower: Floats) -> Floats:
        """p_n of each window, (N,), from that of the shorter context."""
        gram, context = find(self._grams, grams), find(self._contexts, contexts)
        a = np.where(gram < 0, 0, self._a[gram])
        kept = np.maximum(a - self._discounts[np.minimum(a, 3)], 0) / self._sums[context]
        mixed: Floats = np.where(context < 0, lower, kept + self._reserved[context] * lower)
        return mixed


def _discounts(a: NDArray[np.int64]) -> Floats:
    """Chen & Goodman's D1, D2, D3 behind a 0; where a text has too few n-grams for them, a third of the way to a."""
    n1, n2, n3, n4 = np.bincount(np.minimum(a, 5), minlength=6)[1:5].astype(float)
    if not (n1 and n2 and n3 and n4):
        return np.array([0, 0.5, 0.75, 1.0])
    y = n1 / (n1 + 2 * n2)
    found = np.array([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    clipped: Floats = np.clip(found, 0.01, [0.01, 0.99, 1.99, 2.99]) * [0, 1, 1, 1]
    return clipped
