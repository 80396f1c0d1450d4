"""The distribution of the next character: from logits to candidates, from candidates to a choice (notebook cell 38).

The controls and their order are those of Hugging Face's transformers: temperature, top-k, top-p (Holtzman et al. 2020),
min-p (Nguyen et al. 2024). All of them keep the likeliest tokens and drop the rest, so in the order of probability the
candidates are a beginning of the list. What bans and penalties make of the logits (adjusted_logits.py) comes before.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.adjusted_logits import NOT_FINITE, AdjustedLogits
from charrnn_tui.sampling.settings import PLAIN, SamplingSettings

Probabilities = NDArray[np.float64]

_LN2 = math.log(2.0)


@dataclass(frozen=True)
class CharacterStatistics:
    """One character under the distribution that predicted it."""

    probability: float  # the model's own: temperature 1, nothing dropped
    chosen_probability: float  # after temperature and truncation
    rank: int  # among all tokens, 1 for the likeliest
    surprise_bits: float  # -log2 of `probability`
    entropy_bits: float  # of the model's own distribution: the surprise that it expected


def log_probabilities(logits: NDArray[np.floating]) -> Probabilities:
    """ln softmax(logits) in float64, (…, n_tokens)."""
    x = logits.astype(np.float64)
    x -= x.max(axis=-1, keepdims=True)  # softmax does not change, and exp cannot overflow
    x -= np.log(np.exp(x).sum(axis=-1, keepdims=True))
    return x


def surprises_and_entropies(
    logits: NDArray[np.floating], ids: NDArray[np.integer]
) -> tuple[Probabilities, Probabilities]:
    """`surprise_bits` and `entropy_bits` of N characters at once, (N) each: a tenth of the time of one by one.

    logits: (N, n_tokens), that predicted them; ids: (N), the characters.
    """
    log_p = log_probabilities(logits)  # (N, n_tokens)
    surprises = -np.take_along_axis(log_p, ids[:, np.newaxis], axis=1)[:, 0]  # (N), -ln p
    entropies = -(np.exp(log_p) * log_p).sum(axis=1)  # (N), -Σ p ln p
    return surprises / _LN2, np.maximum(entropies, 0) / _LN2


class Distribution:
    """The model's own distribution of the next character ("before") and the one that settings make of it ("after").

    Built for every character where no compiled code chooses, so only what a choice needs is computed at once.
    order: all token ids, the likeliest to the model first, ties by id, (n_tokens). kept: the number of candidates.
    """

    def __init__(
        self,
        logits: NDArray[np.floating],
        settings: SamplingSettings = PLAIN,
        adjusted: AdjustedLogits | None = None,
    ) -> None:
        """logits: (n_tokens). adjusted: those that are drawn from, where they differ; of A tokens.

        Raises ValueError where they are not finite.
        """
        self.settings = settings
        self._adjusted = adjusted
        self.order, self._below = _ranked(logits)  # (n_tokens) each
        self._drawn, self._drawn_below = self.order, self._below  # (n_tokens), or (A), the likeliest to be drawn first
        if adjusted is not None:
            places, self._drawn_below = _ranked(adjusted.logits)
            self._drawn = adjusted.ids[places]
        self._tempered = self._at_temperature()  # (A), descending from 1
        self.kept = self._count_kept()
        self._cumulative: Probabilities = self._tempered[: self.kept].cumsum()  # (kept)

    @cached_property
    def _weights(self) -> Probabilities:
        return np.exp(self._below)  # (n_tokens) in order: softmax times a constant, the largest exactly 1

    @cached_property
    def _total(self) -> float:
        return float(self._weights.sum())

    def _at_temperature(self) -> Probabilities:
        """exp((logit - largest) / temperature) of what is drawn from, (A): the largest is exactly 1."""
        temperature = self.settings.temperature
        if temperature == 1:
            return self._weights if self._adjusted is None else np.exp(self._drawn_below)
        if temperature == 0:
            greedy = np.zeros_like(self._drawn_below)
            greedy[0] = 1.0
            return greedy
        with np.errstate(over="ignore"):  # a tiny temperature sends the others to -inf, where they belong
            return np.exp(self._drawn_below / temperature)

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

    def choose(self, u: float) -> int:
        """Inverse CDF in the order of probability: the token id for one uniform number u in [0, 1).

        In this order the same u is as unlikely under all settings: two texts with the same seed differ only where their
        settings make them differ.
        """
        place = int(self._cumulative.searchsorted(u * self._cumulative[-1], side="right"))
        return int(self._drawn[min(place, self.kept - 1)])

    def statistics(self, token_id: int) -> CharacterStatistics:
        """Of one token."""
        place = self.place_of(token_id)
        surprise = (math.log(self._total) - float(self._below[place])) / _LN2  # finite where `before_at` is 0
        return CharacterStatistics(self.before_at(place), self.after_at(place), place + 1, surprise, self.entropy_bits)

    def before_at(self, place: int) -> float:
        """The model's own probability of order[place]."""
        return float(self._weights[place]) / self._total

    def after_at(self, place: int) -> float:
        """The probability with which order[place] is chosen."""
        if self._adjusted is None:
            return float(self._tempered[place]) / float(self._cumulative[-1]) if place < self.kept else 0.0
        return self._shares_by_id.get(int(self.order[place]), 0.0)

    def place_of(self, token_id: int) -> int:
        """The place of a token in `order`, from 0."""
        return int(np.flatnonzero(self.order == token_id)[0])

    @property
    def candidates(self) -> NDArray[np.intp]:
        """The ids that may be chosen, the likeliest to be drawn first, (kept)."""
        return self._drawn[: self.kept]

    @property
    def shares(self) -> Probabilities:
        """The probabilities with which the candidates are chosen, (kept)."""
        shares: Probabilities = self._tempered[: self.kept] / self._cumulative[-1]
        return shares

    @cached_property
    def _shares_by_id(self) -> dict[int, float]:
        return dict(zip(self.candidates.tolist(), self.shares.tolist(), strict=True))

    @cached_property
    def kept_mass(self) -> float:
        """The share of the candidates at this temperature, of all that may be written, before anything was dropped."""
        return min(1.0, float(self._cumulative[-1] / self._tempered.sum()))

    @cached_property
    def entropy_bits(self) -> float:
        """Entropy of the model's own distribution."""
        mean_below = float(np.dot(self._weights, self._below)) / self._total
        return max(0.0, (math.log(self._total) - mean_below) / _LN2)  # -Σ p log2 p

    @cached_property
    def entropy_after_bits(self) -> float:
        """Entropy of the distribution that is drawn from."""
        drawn = self.shares
        drawn = drawn[drawn > 0]
        return max(0.0, float(-np.dot(drawn, np.log2(drawn))))


def _ranked(logits: NDArray[np.floating]) -> tuple[NDArray[np.intp], Probabilities]:
    """The places of the logits, the largest first, and in this order what each has more than the largest: 0 or less."""
    negative: Probabilities = np.negative(logits, dtype=np.float64)
    order: NDArray[np.intp] = negative.argsort(kind="stable")
    below: Probabilities = negative[order]  # ascending
    if not (math.isfinite(below[0]) and math.isfinite(below[-1])):  # NaN sorts to the end
        raise ValueError(NOT_FINITE)
    np.subtract(below[0], below, out=below)  # logit - largest, descending from 0
    return order, below
