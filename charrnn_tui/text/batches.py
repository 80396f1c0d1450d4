"""The notebook's batches (cell 8): contiguous rows of the text, and a window that moves along them."""

from collections.abc import Iterator

import numpy as np

from charrnn_tui.text.long_text import forget_pages
from charrnn_tui.text.vocabulary import Ids

_FORGET_EVERY = 32  # windows of a mapped text; reading one maps some 64 kB in each row


def batch_count(length: int, batch_size: int, seq_length: int) -> int:
    """How many full batches a text of `length` characters gives."""
    return length // (batch_size * seq_length)


def get_batches(ids: Ids, batch_size: int, seq_length: int) -> Iterator[tuple[Ids, Ids]]:
    """Yield inputs and targets, each of shape (batch_size, seq_length) and the dtype of `ids`.

    The text is cut into `batch_size` contiguous rows; a window moves along them, so that the hidden state of one batch
    is the right start for the next. Targets are the inputs shifted by one character; the last target of a row is its
    first character, as in the notebook. Characters that do not fill a batch are left out.
    """
    for window in range(batch_count(len(ids), batch_size, seq_length)):
        yield get_batch(ids, batch_size, seq_length, window)


def get_batch(ids: Ids, batch_size: int, seq_length: int, window: int) -> tuple[Ids, Ids]:
    """The batch of one window, counted from 0; see `get_batches`."""
    if window % _FORGET_EVERY == 0:
        forget_pages(ids)
    width = batch_count(len(ids), batch_size, seq_length) * seq_length
    rows = ids[: batch_size * width].reshape(batch_size, width)
    begin, end = window * seq_length, (window + 1) * seq_length
    targets = np.empty((batch_size, seq_length), dtype=ids.dtype)
    targets[:, :-1] = rows[:, begin + 1 : end]
    targets[:, -1] = rows[:, end % width]
    return rows[:, begin:end], targets


def split_at(length: int, val_frac: float) -> int:
    """The index at which validation begins (notebook: `int(len(data) * (1 - val_frac))`)."""
    return int(length * (1 - val_frac))


class TextTooShort(ValueError):
    """A part of the text does not hold one batch; the message names the largest sizes that fit."""


def check_geometry(length: int, batch_size: int, seq_length: int, val_frac: float) -> None:
    """Raise TextTooShort unless training and validation (if any) hold at least one batch each."""
    boundary = split_at(length, val_frac)
    parts = {"training": boundary} | ({"validation": length - boundary} if val_frac > 0 else {})
    shortest = min(parts, key=lambda part: parts[part])
    room = parts[shortest]
    if room >= batch_size * seq_length:
        return
    ways = []
    if room // seq_length:
        ways.append(f"--batch-size {room // seq_length} with --seq-length {seq_length}")
    if room // batch_size:
        ways.append(f"--seq-length {room // batch_size} with --batch-size {batch_size}")
    if not ways and room:
        ways.append(f"--batch-size 1 with --seq-length {room}")
    advice = [f"the largest that fits: {', or '.join(ways)}"] if ways else []
    if val_frac > 0 and length >= batch_size * seq_length:
        advice.append("or --val-frac 0 (no validation)" if ways else "try --val-frac 0 (no validation)")
    raise TextTooShort(
        f"the text is too short: its {shortest} part has {room:,} of {length:,} characters, one batch of "
        f"{batch_size} × {seq_length} needs {batch_size * seq_length:,}; " + ("; ".join(advice) or "give a longer text")
    )
