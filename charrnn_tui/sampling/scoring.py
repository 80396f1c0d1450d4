"""How well a model predicts a text: cross-entropy in nats per character."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.char_model import CHUNK_ROWS, CharModel
from charrnn_tui.sampling.distribution import log_probabilities
from charrnn_tui.text.batches import TextTooShort, batch_count, get_batches
from charrnn_tui.text.vocabulary import Ids


@dataclass(frozen=True)
class DynamicSettings:
    """Of a dynamic evaluation (training/dynamic_evaluation.py); here, so that its defaults are known without torch.

    seq_length: characters between two steps. lr: learning rate. decay: the share of its way back to its trained value
    that a weight with average gradients goes at each step.
    """

    seq_length: int = 50
    lr: float = 4e-4
    decay: float = 1e-3


@dataclass(frozen=True, eq=False)
class Predictions:
    """Of t characters, (t,) each. losses: nats. expected: the likeliest ids; expected_losses: theirs, nats."""

    losses: NDArray[np.float64]
    expected: NDArray[np.int64]
    expected_losses: NDArray[np.float64]


def sequence_losses(model: CharModel, ids: Ids) -> Iterator[NDArray[np.float64]]:
    """The losses of `predictions`."""
    return (piece.losses for piece in predictions(model, ids))


def predictions(model: CharModel, ids: Ids) -> Iterator[Predictions]:
    """Of a whole text read in one pass from a zero state, in pieces of some 2,000 characters, T - 1 in all.

    Entry t is of ids[t + 1]: nothing predicts the first character. Raises TextTooShort below two characters.
    """
    if len(ids) < 2:
        raise TextTooShort(f"the text is too short: scoring needs 2 characters, it has {len(ids)}")
    done = 0
    for logits in _steps(model, ids[:-1]) if model.runs_compiled else (each for each, _ in model.forward(ids[:-1])):
        log_p = log_probabilities(logits)  # (t, V)
        expected, places = log_p.argmax(axis=-1), np.arange(len(logits))
        actual = ids[done + 1 : done + 1 + len(logits)].astype(np.intp)
        yield Predictions(-log_p[places, actual], expected, -log_p[places, expected])
        done += len(logits)


def _steps(model: CharModel, ids: Ids) -> Iterator[NDArray[np.float32]]:
    """The logits of `CharModel.forward` by compiled steps, which for one text take a ninth of the time."""
    state = model.initial_state()
    for begin in range(0, len(ids), CHUNK_ROWS):
        pieces = []
        for token_id in ids[begin : begin + CHUNK_ROWS].tolist():
            logits, state = model.step(token_id, state)
            pieces.append(logits)
        yield np.stack(pieces)


def batch_losses(model: CharModel, ids: Ids, batch_size: int, seq_length: int) -> Iterator[float]:
    """The mean loss of each of the notebook's batches, whose mean is its validation loss (notebook cell 30).

    The state is zero at the start and carried on from batch to batch. Characters that do not fill a batch are left out,
    and the last target of a row is its first character, as in the notebook. There are `batch_count(len(ids),
    batch_size, seq_length)` batches. Raises TextTooShort where that is none.
    """
    if batch_size < 1 or seq_length < 1:
        raise ValueError(f"a batch of {batch_size} × {seq_length} holds nothing: both must be 1 or more")
    if batch_count(len(ids), batch_size, seq_length) == 0:
        raise TextTooShort(
            f"the text is too short: it has {len(ids):,} characters, "
            f"one batch of {batch_size} × {seq_length} needs {batch_size * seq_length:,}"
        )
    state = model.initial_state(batch_size)
    for inputs, targets in get_batches(ids, batch_size, seq_length):
        total, done = 0.0, 0
        for logits, after in model.forward(inputs, state):
            times = logits.shape[1]
            total += float(cross_entropy(logits, targets[:, done : done + times]).sum())
            done += times
            state = after
        yield total / targets.size


def cross_entropy(logits: NDArray[np.floating], targets: NDArray[np.integer]) -> NDArray[np.float64]:
    """-ln p(target) in float64. logits: (…, n_tokens), targets: (…), result: (…)."""
    return -np.take_along_axis(log_probabilities(logits), targets[..., np.newaxis].astype(np.intp), axis=-1)[..., 0]
