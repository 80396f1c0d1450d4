"""Many texts at once by compiled code, each the one that its seed writes alone.

For all texts of a thread the weights are read once a character. NumPy cannot do this: its product for many texts adds
up in another order than that for one, so that logits differ in their last bits, and now and then a character.
"""

import threading
from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.adjusted_logits import adjusted
from charrnn_tui.sampling.char_model import HiddenState
from charrnn_tui.sampling.distribution import Distribution, surprises_and_entropies
from charrnn_tui.sampling.lstm_step import choose_many
from charrnn_tui.sampling.sampler import Sampler, seeded
from charrnn_tui.sampling.stops import NEVER, Stop, StopWatch

SHARE = 16  # texts, at least, that are worth a thread: a step takes almost as long for a few of them


@dataclass(frozen=True)
class WrittenText:
    """ids: after the prime. bits: their surprises under the model, summed up."""

    ids: list[int]
    bits: float


def write_many(
    start: Sampler, seeds: Sequence[int], length: int, threads: int = 1, stop: Stop = NEVER
) -> list[WrittenText]:
    """A text for each seed, of `length` characters or up to `stop`, from the point of `start` and with its settings.

    threads: at most so many, each with texts of its own. Raises ValueError for a negative seed, where the network gives
    no numbers, and where its steps are not compiled (`CharModel.runs_compiled`).
    """
    if not start.model.runs_compiled:
        raise ValueError("without compiled code texts are written one by one")
    if start.settings.pins:
        raise ValueError("with pinned units texts are written one by one")
    used = max(1, min(threads, len(seeds) // SHARE))
    stopped, borders = threading.Event(), [len(seeds) * number // used for number in range(used + 1)]
    with ThreadPoolExecutor(used) as pool:
        try:
            shares = [
                pool.submit(_write_share, start, seeds[begin:end], length, stop, stopped)
                for begin, end in pairwise(borders)
            ]
            return [text for share in shares for text in share.result()]
        finally:  # an interruption ends all of them: leaving the pool waits for its threads
            stopped.set()


def _write_share(
    start: Sampler, seeds: Sequence[int], length: int, stop: Stop, stopped: threading.Event
) -> list[WrittenText]:
    """B texts on this thread; one that ends early is written no further, W of them are left."""
    model, texts, tokens = start.model, len(seeds), start.vocabulary.tokens
    draws = np.stack([np.random.Generator(seeded(seed)).random(length) for seed in seeds], axis=1)  # (length, B)
    state = HiddenState(*(np.repeat(part[:, np.newaxis], texts, axis=1) for part in (start.state.h, start.state.c)))
    logits = np.repeat(start.logits[np.newaxis], texts, axis=0)  # (W, V)
    ids, bits = np.empty((length, texts), np.intp), np.zeros(texts)
    lengths, writing = np.full(texts, length), np.arange(texts)  # (B), (W)
    watches, histories = [StopWatch(stop) for _ in seeds], [start.history[:] for _ in seeds]
    for position, u in enumerate(draws):
        if stopped.is_set():
            return []
        if not len(writing):
            break
        chosen = _chosen(start, logits, u[writing], [histories[text] for text in writing])  # (W)
        ids[position, writing] = chosen
        if start.settings.dry:
            for text, token_id in zip(writing, chosen.tolist(), strict=True):
                histories[text].append(token_id)
        bits[writing] += surprises_and_entropies(logits, chosen)[0]
        if stop != NEVER:
            characters = map(tokens.__getitem__, chosen.tolist())
            ends = [watches[text].ends_with(one) for text, one in zip(writing.tolist(), characters, strict=True)]
            if any(ends):
                lengths[writing[ends]] = position + 1
                left = np.flatnonzero(~np.array(ends))
                writing, chosen = writing[left], chosen[left]
                state = HiddenState(state.h[:, left], state.c[:, left])
        logits, state = model.step(chosen, state)
    return [WrittenText(ids[: lengths[text], text].tolist(), float(bits[text])) for text in range(texts)]


def _chosen(
    start: Sampler, logits: NDArray[np.float32], u: NDArray[np.float64], histories: "Sequence[array[int]]"
) -> NDArray[np.integer]:
    """The next token ids of W texts with these histories, (W). logits: (W, V), u: (W)."""
    settings = start.settings
    rows = [adjusted(row, settings, start.vocabulary, history) for row, history in zip(logits, histories, strict=True)]
    drawn = np.stack([row.logits for row in rows if row is not None]) if settings.adjusts_logits else logits  # (W, A)
    chosen = choose_many(drawn, settings, u)
    if chosen is None:  # a huge alphabet, or no numbers, for which Distribution raises
        triples = zip(logits, rows, u.tolist(), strict=True)
        return np.array([Distribution(row, settings, of_row).choose(one) for row, of_row, one in triples])
    return chosen if rows[0] is None else rows[0].ids[chosen]  # the same tokens may be written in all texts
