"""How well a model predicts a text: cross-entropy in nats per character."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.text.batches import TextTooShort, batch_count, get_batches
from charrnn_tui.text.vocabulary import Ids


def score_sequence(model: CharLSTM, ids: Ids) -> NDArray[np.float64]:
    """Losses of a whole text read in one pass from a zero state, shape (T - 1,): entry t is of ids[t + 1].

    Nothing predicts the first character, so it has no loss. Raises TextTooShort for fewer than two characters.
    """
    return np.concatenate(list(sequence_losses(model, ids)))


def sequence_losses(model: CharLSTM, ids: Ids) -> Iterator[NDArray[np.float64]]:
    """`score_sequence` in pieces of some 2,000 characters, for who wants to show progress or to stop."""
    if len(ids) < 2:
        raise TextTooShort(f"the text is too short: scoring needs 2 characters, it has {len(ids)}")
    done = 0
    for logits, _ in model.forward_chunks(ids[:-1]):
        yield cross_entropy(logits, ids[done + 1 : done + 1 + len(logits)])
        done += len(logits)


def score_batches(model: CharLSTM, ids: Ids, batch_size: int, seq_length: int) -> float:
    """The notebook's validation loss: the mean of the batch losses (notebook cell 30). Raises as `batch_losses`."""
    return float(np.mean(list(batch_losses(model, ids, batch_size, seq_length))))


def batch_losses(model: CharLSTM, ids: Ids, batch_size: int, seq_length: int) -> Iterator[float]:
    """The mean loss of each of the notebook's batches, the hidden state zero at the start and carried on between them.

    What does not fill a batch is left out, and the last target of a row is its first character, as in the notebook.
    There are `batch_count(len(ids), batch_size, seq_length)`. Raises TextTooShort where that is none.
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
        for logits, after in model.forward_chunks(inputs, state):
            times = logits.shape[1]
            total += float(cross_entropy(logits, targets[:, done : done + times]).sum())
            done += times
            state = after
        yield total / targets.size


def cross_entropy(logits: NDArray[np.floating], targets: NDArray[np.integer]) -> NDArray[np.float64]:
    """-ln softmax(logits)[target] in float64. logits: (…, n_tokens), targets: (…), result: (…)."""
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(wide, targets[..., np.newaxis].astype(np.intp), axis=-1)[..., 0]
    losses: NDArray[np.float64] = np.log(np.exp(wide).sum(axis=-1)) - chosen
    return losses
