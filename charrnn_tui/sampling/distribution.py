"""What comes next: from logits to candidates, from candidates to a choice.

The controls and their order are those of Hugging Face's transformers: temperature, top-k, top-p, min-p. All of them
keep the likeliest and drop the rest, so in the order of probability whatever is kept is a beginning of the list.
"""

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.settings import PLAIN, SamplingSettings

Probabilities = NDArray[np.float64]

NOT_FINITE = "the model gives NaN or infinite logits"
_LN2 = math.log(2.0)


def surprises_and_entropies(
    logits: NDArray[np.floating], ids: NDArray[np.integer]
) -> tuple[Probabilities, Probabilities]:
    """Of many characters at once, in bits under the model's own belief: a tenth of the time of one by one.

    logits: (N, n_tokens), what predicted each; ids: (N,), what came. Surprise: -log2 of its probability. Both (N,).
    """
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=1, keepdims=True)
    chosen = np.take_along_axis(wide, ids[:, np.newaxis], axis=1)[:, 0]
    belief = np.exp(wide)
    total = belief.sum(axis=1)
    entropies = (np.log(total) - (belief * wide).sum(axis=1) / total) / _LN2
    return (np.log(total) - chosen) / _LN2, np.maximum(entropies, 0)


class Distribution:
    """The model's belief about the next character, and what the settings make of it.

    Built for every character where there is no compiled choice, so only what a choice needs is computed at once.
    order: all token ids, the likeliest first, ties by id, shape (n_tokens,). kept: how many of them may be chosen.
    """

    def __init__(self, logits: NDArray[np.floating], settings: SamplingSettings = PLAIN) -> None:
        """logits: (n_tokens,). Raises ValueError where they are not finite."""
        self.settings = settings
        negative: Probabilities = np.negative(logits, dtype=np.float64)
        self.order: NDArray[np.intp] = negative.argsort(kind="stable")
        self._below: Probabilities = negative[self.order]  # (n_tokens,), ascending
        if not (math.isfinite(self._below[0]) and math.isfinite(self._below[-1])):  # NaN sorts to the end
            raise ValueError(NOT_FINITE)
        np.subtract(self._below[0], self._below, out=self._below)  # each logit less the largest, descending
        self._tempered = self._at_temperature()
        self.kept = self._count_kept()
        self._cumulative: Probabilities = self._tempered[: self.kept].cumsum()

    @cached_property
    def _belief(self) -> Probabilities:
        return np.exp(self._below)

    @cached_property
    def _belief_total(self) -> float:
        return float(self._belief.sum())

    def _at_temperature(self) -> Probabilities:
        """exp((logit - largest) / temperature) in order: the largest is exactly 1."""
        temperature = self.settings.temperature
        if temperature == 1:
            return self._belief
        if temperature == 0:
            greedy = np.zeros_like(self._below)
            greedy[0] = 1.0
            return greedy
        with np.errstate(over="ignore"):  # a tiny temperature sends the others to -inf, where they belong
            return np.exp(self._below / temperature)

    def _count_kept(self) -> int:
        settings, tempered = self.settings, self._tempered
        if settings.temperature == 0:
            return 1
        kept = len(tempered) if settings.top_k is None else min(settings.top_k, len(tempered))
        if settings.top_p is not None and settings.top_p < 1:
            cumulative = tempered[:kept].cumsum()
            kept = min(kept, int(cumulative.searchsorted(settings.top_p * cumulative[-1])) + 1)
        if settings.min_p is not None:
            kept = int(np.count_nonzero(tempered[:kept] >= settings.min_p))  # relative to the largest, which is 1
        return kept

    def place(self, u: float) -> int:
        """Inverse CDF in the order of probability: the place in `order` for one uniform number u in [0, 1).

        In this order the same u means the same "how unlikely" under all settings: two runs with the same seed differ
        only where their settings make them differ.
        """
        found = int(self._cumulative.searchsorted(u * self._cumulative[-1], side="right"))
        return min(found, self.kept - 1)

    def choose(self, u: float) -> int:
        """The token id at `place(u)`."""
        return int(self.order[self.place(u)])

    def before_at(self, place: int) -> float:
        """The model's own probability of order[place]."""
        return float(self._belief[place]) / self._belief_total

    def after_at(self, place: int) -> float:
        """The probability with which order[place] is chosen."""
        return float(self._tempered[place]) / float(self._cumulative[-1]) if place < self.kept else 0.0

    def surprise_bits_at(self, place: int) -> float:
        """-log2 of `before_at`, finite where that underflows."""
        return (math.log(self._belief_total) - float(self._below[place])) / _LN2

    def place_of(self, token_id: int) -> int:
        """The place of a token in `order`; its rank is one more."""
        return int(np.flatnonzero(self.order == token_id)[0])

    @property
    def candidates(self) -> NDArray[np.intp]:
        """The ids that may be chosen, the likeliest first, shape (kept,)."""
        return self.order[: self.kept]

    @cached_property
    def before(self) -> Probabilities:
        """softmax of the logits by token id, shape (n_tokens,): what the model believes."""
        return self._by_id(self._belief / self._belief_total)

    @cached_property
    def after(self) -> Probabilities:
        """By token id, shape (n_tokens,): what is drawn from. 0 for what was dropped."""
        return self._by_id(self._tempered[: self.kept] / self._cumulative[-1])

    @cached_property
    def kept_mass(self) -> float:
        """The share of the candidates in the distribution at this temperature, before anything was dropped."""
        return min(1.0, float(self._cumulative[-1] / self._tempered.sum()))

    @cached_property
    def entropy_bits(self) -> float:
        """Entropy of `before`: how open the model finds the question."""
        mean_below = float(np.dot(self._belief, self._below)) / self._belief_total
        return max(0.0, (math.log(self._belief_total) - mean_below) / _LN2)

    @cached_property
    def entropy_after_bits(self) -> float:
        """Entropy of `after`: how open the settings leave it."""
        drawn = self.after[self.after > 0]
        return max(0.0, float(-np.dot(drawn, np.log2(drawn))))

    def _by_id(self, in_order: Probabilities) -> Probabilities:
        by_id = np.zeros(len(self.order))
        by_id[self.order[: len(in_order)]] = in_order
        return by_id
