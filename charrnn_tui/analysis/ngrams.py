"""Is a model better than counting? Interpolated n-gram models with modified Kneser–Ney smoothing of the same text.

The probability of character w after the n - 1 characters u is (Chen & Goodman 1999, section 4.1.6)

    p_n(w | u) = max(a(uw) - D(a(uw)), 0) / S(u) + (D1 N1(u) + D2 N2(u) + D3 N3(u)) / S(u) * p_{n-1}(w | u')

with u' all of u but its first character; a(uw) how often uw occurs or, below the highest order, after how many
different characters it does; S(u) the sum of a over w; Nk(u) how many w have a = k (N3: 3 or more); D1, D2, D3 the
discounts of the order, from how many n-grams have a = 1 … 4. p_0 is uniform. Where no n-gram begins with u, the shorter
context alone predicts.

An n-gram is a key of 64 bits: its last character in the low ones, above them a hash of the characters before it, a
polynomial in _BASE over random numbers of the characters (Karp & Rabin 1987). So sorted keys stand together by context.
With 256 characters, two of ten million contexts share a hash with a probability of one in a thousand.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.run.memory import free_memory
from charrnn_tui.run.quantities import size
from charrnn_tui.text.batches import TextTooShort
from charrnn_tui.text.vocabulary import Ids

LONGEST = 20
BYTES_A_CHARACTER = 110  # of both parts together, of memory; where no n-gram occurs twice, else less
Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]

_BASE = np.uint64(0x9E3779B97F4A7C15)


class TextTooLong(ValueError):
    """There is not enough memory to count its n-grams; the message says how much it takes."""


@dataclass(frozen=True)
class NgramLoss:
    """Of the held-out text under the n-gram model of order n, nats/char."""

    n: int
    loss: float


def ngram_losses(train: Ids, held_out: Ids, tokens: int, longest: int = LONGEST) -> Iterator[NgramLoss]:
    """The losses of the models of order 1 to `longest`, one after the other; the caller may stop between any two.

    Every character but the first is predicted, the first `n - 1` from the characters before it that there are. Orders
    longer than the training text are left out. Takes half a second for an order and a million characters, and at most
    BYTES_A_CHARACTER. Raises TextTooShort for a text of fewer than two characters, TextTooLong where memory is short.
    """
    if min(len(train), len(held_out)) < 2:
        raise TextTooShort("n-grams need at least two characters in the training and in the held-out part")
    _check_memory(len(train) + len(held_out))
    numbers = np.random.default_rng(0).integers(1 << 64, size=tokens, dtype=np.uint64)
    bits = np.uint64(max(1, (tokens - 1).bit_length()))  # of a character
    lower = np.full(len(held_out), 1 / tokens)  # p_{n-1} of each character, with the counts of shorter orders
    contexts, before = np.zeros(len(train) + 1, np.uint64), np.zeros(len(held_out) + 1, np.uint64)  # hashes of n - 1
    for n in range(1, min(longest, len(train)) + 1):
        keys, asked = _keys(contexts, train[n - 1 :], bits), _keys(before, held_out[n - 1 :], bits)
        known = lower.copy()  # the first n - 1 characters have no context of this order
        known[n - 1 :] = _Counts(np.sort(keys), bits).probabilities(asked, lower[n - 1 :])
        yield NgramLoss(n, float(-np.log(known[1:]).mean()))
        if n < longest and n < len(train):
            windows = _longer(contexts, train[n - 1 :], numbers)
            after = _one_of_each(_longer(windows, train[n:], numbers)) + 1  # where the last n characters of each begin
            started = np.append(after, 0)  # the n-gram at the beginning of the text comes after none: count it once
            lower[n - 1 :] = _Counts(np.sort(keys[started]), bits).probabilities(asked, lower[n - 1 :])
            contexts, before = windows, _longer(before, held_out[n - 1 :], numbers)


def _check_memory(chars: int) -> None:
    if (needed := BYTES_A_CHARACTER * chars) > (free := free_memory()):
        raise TextTooLong(
            f"counting the n-grams of {chars:,} characters needs about {size(needed)} of memory, of which "
            f"{size(free)} are free; a part of the text would do"
        )


def _keys(contexts: Keys, ids: Ids, bits: np.uint64) -> Keys:
    """The n-grams of these hashes, each followed by a character; there is one hash more than ids."""
    keys = contexts[:-1] >> bits
    keys <<= bits
    keys |= ids  # each is below 2^bits
    return keys


def _longer(hashes: Keys, ids: Ids, numbers: Keys) -> Keys:
    """The hashes of windows one character longer, one hash less."""
    longer = hashes[:-1] * _BASE
    longer += numbers[ids]
    return longer


def _one_of_each(hashes: Keys) -> NDArray[np.int64]:
    """The index of one of each of the different hashes."""
    order = np.argsort(hashes)
    place: NDArray[np.int64] = order[_starts(hashes[order])]
    return place


def _starts(ordered: Keys) -> NDArray[np.int64]:
    """Where in a sorted array another value begins."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _find(ordered: Keys, wanted: Keys) -> NDArray[np.int64]:
    """The index of each wanted number in sorted ones, -1 where it is missing."""
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.where(ordered[place] == wanted, place, -1)


class _Counts:
    """a of each n-gram, and the sums of each context, as sorted arrays to look up in."""

    def __init__(self, ordered: Keys, bits: np.uint64) -> None:
        """ordered: the sorted keys of n-grams that each count once."""
        self._bits = bits
        starts = _starts(ordered)
        self._grams = ordered[starts]
        self._a = np.diff(starts, append=len(ordered)).astype(np.int32)
        del ordered, starts
        contexts = self._grams >> bits
        starts = _starts(contexts)
        self._contexts = contexts[starts]
        self._sums = np.add.reduceat(self._a, starts, dtype=np.int64)
        self._discounts = _discounts(self._a)  # (4,): of a = 0, 1, 2, 3 and more
        self._reserved = np.add.reduceat(self._discounts[np.minimum(self._a, 3)], starts) / self._sums

    def probabilities(self, keys: Keys, lower: Floats) -> Floats:
        """p_n of each n-gram, (N,), from that of the shorter context."""
        gram, context = _find(self._grams, keys), _find(self._contexts, keys >> self._bits)
        a = np.where(gram < 0, 0, self._a[gram])
        kept = np.maximum(a - self._discounts[np.minimum(a, 3)], 0) / self._sums[context]
        mixed: Floats = np.where(context < 0, lower, kept + self._reserved[context] * lower)
        return mixed


def _discounts(a: NDArray[np.int32]) -> Floats:
    """Chen & Goodman's D1, D2, D3 behind a 0; where a text has too few n-grams for them, a third of the way to a."""
    n1, n2, n3, n4 = np.bincount(np.minimum(a, 5), minlength=6)[1:5].astype(float)
    if not (n1 and n2 and n3 and n4):
        return np.array([0, 0.5, 0.75, 1.0])
    y = n1 / (n1 + 2 * n2)
    found = np.array([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    clipped: Floats = np.clip(found, 0.01, [0.01, 0.99, 1.99, 2.99]) * [0, 1, 1, 1]
    return clipped
