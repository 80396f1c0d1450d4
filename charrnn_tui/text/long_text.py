"""Texts longer than memory: ids mapped from a file, and reading all of them in constant memory."""

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.text.vocabulary import Ids, Vocabulary

_CHUNK = 1 << 22  # characters counted at once


class _MappedFile(mmap.mmap):
    """A map whose dropped pages are read from the file again; those of an anonymous map would become zero."""


def map_array(path: Path, dtype: np.dtype[np.integer]) -> NDArray[np.integer]:
    """The values of a file, read-only, shape (bytes / itemsize,). Raises OSError, and ValueError for an empty file."""
    with path.open("rb") as file:
        return np.frombuffer(_MappedFile(file.fileno(), 0, access=mmap.ACCESS_READ), dtype)


def forget_pages(ids: Ids) -> None:
    """Drop the pages read so far of mapped ids, or of a slice of them; they are read again when needed.

    Otherwise they count as this process's memory until the system runs short of it.
    """
    base: object = ids
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):  # between the array and its map
        base = base.obj
    if isinstance(base, _MappedFile) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def character_counts(ids: Ids, tokens: int) -> NDArray[np.int64]:
    """How often each token occurs in a text, shape (tokens,), in constant memory."""
    counts = np.zeros(tokens, np.int64)
    for chunk in chunks(ids):
        counts += np.bincount(chunk, minlength=tokens)
    return counts


def bytes_per_char(ids: Ids, vocabulary: Vocabulary) -> float | None:
    """Bytes in UTF-8 a character, the mean over a text, (T,), in constant memory; None for an empty text."""
    total = int(character_counts(ids, len(vocabulary)) @ vocabulary.byte_lengths)
    return total / len(ids) if len(ids) else None


def chunks(ids: Ids) -> Iterator[Ids]:
    """All ids in pieces, in constant memory if they are mapped."""
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
        forget_pages(ids)
