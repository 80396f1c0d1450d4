"""Many texts at once, each the one that its seed writes alone.

One product for all texts reads the weights once a character of each. The compiled step gives each text what it gets
alone. NumPy's product adds up in another order than that for one text, so logits differ in the last bits. Where that
could change a draw, the text is not vouched for, and is to be written alone: about one character in ten thousand is
such a case. All others are those of `Sampler`.

Threads have a share of the texts each and never wait for each other, and NumPy lets go of the interpreter in its loops.
Threads inside BLAS would share out each product instead, and spin while one of them has lost its core to somebody else.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.distribution import NOT_FINITE, surprises_and_entropies
from charrnn_tui.sampling.lstm import LSTMState
from charrnn_tui.sampling.lstm_step import choose_many
from charrnn_tui.sampling.sampler import Sampler, seeded
from charrnn_tui.sampling.settings import SamplingSettings

SURE = 5e-6  # of the probability: a draw nearer to a border than this might fall on its other side; seen: 2e-6
ALIKE = 4e-5  # of a logit: two nearer to each other than this might stand in the other order; seen: 1e-5
SHARE = 16  # texts, at least, that are worth a thread: a product costs almost as much for a few of them

_LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class WrittenText:
    """ids: after the prime. bits: their surprises under the model, summed up."""

    ids: list[int]
    bits: float


def write_many(start: Sampler, seeds: Sequence[int], length: int, threads: int = 1) -> list[WrittenText | None]:
    """A text a seed, from where `start` stands and with its settings; None where it must be written alone.

    threads: at most so many, each with texts of its own. Which texts are vouched for may depend on it, a vouched one
    does not. Raises ValueError for a negative seed, and where the network gives no numbers.
    """
    used = max(1, min(threads, len(seeds) // SHARE))
    if used == 1:
        return _write_share(start, seeds, length, threading.Event())
    stopped, borders = threading.Event(), [len(seeds) * number // used for number in range(used + 1)]
    with ThreadPoolExecutor(used) as pool:
        try:
            shares = [
                pool.submit(_write_share, start, seeds[begin:end], length, stopped) for begin, end in pairwise(borders)
            ]
            return [text for share in shares for text in share.result()]
        finally:  # an interruption ends all of them: leaving the pool waits for its threads
            stopped.set()


def _write_share(
    start: Sampler, seeds: Sequence[int], length: int, stopped: threading.Event
) -> list[WrittenText | None]:
    model, settings, texts = start.model, start.settings, len(seeds)
    draws = np.stack([np.random.Generator(seeded(seed)).random(length) for seed in seeds])  # (texts, length)
    state = LSTMState(*(np.repeat(part[:, np.newaxis], texts, axis=1) for part in (start.state.h, start.state.c)))
    logits = np.repeat(start.logits[np.newaxis], texts, axis=0)  # (texts, n_tokens)
    ids = np.empty((texts, length), np.intp)
    bits, sure = np.zeros(texts), np.ones(texts, np.bool_)
    exact = model.exact_among_others
    for position in range(length):
        if stopped.is_set():
            return []
        chosen = choose_many(logits, settings, draws[:, position]) if exact else None
        if chosen is None:
            chosen, surprises, certain = _choose(logits, settings, draws[:, position])
            sure &= certain
        else:
            surprises, _ = surprises_and_entropies(logits, chosen)
        ids[:, position] = chosen
        bits += surprises
        logits, state = model.step(chosen, state)
    return [WrittenText(ids[text].tolist(), float(bits[text])) if sure[text] else None for text in range(texts)]


def _choose(
    logits: NDArray[np.float32], settings: SamplingSettings, u: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
    """`Distribution` for a row of logits each: ids, surprises in bits, and whether rounding could not change them."""
    wide = logits.astype(np.float64)  # (texts, n_tokens)
    if not np.isfinite(wide).all():
        raise ValueError(NOT_FINITE)
    order = np.argsort(-wide, axis=1)  # in any order among equals, of which none is vouched for
    below = np.take_along_axis(wide, order, axis=1)
    below -= below[:, :1].copy()
    belief = np.exp(below)
    rows = np.arange(len(logits))
    places, certain = np.zeros(len(logits), np.intp), np.ones(len(logits), np.bool_)
    if settings.temperature > 0:
        sure = SURE * max(1.0, 1 / settings.temperature)
        with np.errstate(over="ignore"):
            tempered = belief if settings.temperature == 1 else np.exp(below / settings.temperature)
        if settings.top_k is not None:
            tempered = tempered[:, : settings.top_k]
        cumulative = tempered.cumsum(axis=1)
        kept = np.full(len(logits), tempered.shape[1])
        if settings.top_p is not None and settings.top_p < 1:
            mass = settings.top_p * cumulative[:, -1:]
            kept = np.minimum(kept, (cumulative < mass).sum(axis=1) + 1)
            certain &= np.abs(cumulative - mass).min(axis=1) > sure * cumulative[:, -1]
        if settings.min_p is not None:
            kept = np.minimum(kept, (tempered >= settings.min_p).sum(axis=1))
            certain &= np.abs(tempered[:, 1:] - settings.min_p).min(axis=1, initial=np.inf) > sure  # the first is 1
        total = cumulative[rows, kept - 1]
        drawn = (u * total)[:, np.newaxis]
        places = np.minimum((cumulative <= drawn).sum(axis=1), kept - 1)
        borders = np.where(np.arange(cumulative.shape[1]) < kept[:, np.newaxis] - 1, cumulative, np.inf)
        certain &= np.abs(borders - drawn).min(axis=1) > sure * total
    gaps = np.pad(-np.diff(below, axis=1), ((0, 0), (1, 1)), constant_values=np.inf)  # on both sides of each place
    certain &= (gaps[rows, places] > ALIKE) & (gaps[rows, places + 1] > ALIKE)
    surprises = (np.log(belief.sum(axis=1)) - below[rows, places]) / _LN2
    return order[rows, places], surprises, certain
