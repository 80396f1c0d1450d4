"""A text into ids: its alphabet in one pass, a table lookup for each character in a second one (notebook cell 4)."""

import sys
from collections.abc import Iterable, Iterator

import numpy as np

from charrnn_tui.text.vocabulary import Ids, UnknownCharacters, Vocabulary, code_points


class TextChanged(ValueError):
    """The second pass over a text read other characters than the first."""


def alphabet_of(texts: Iterable[str]) -> tuple[list[str], int]:
    """The sorted characters of a text given in pieces, and its length in characters."""
    present, length = np.zeros(sys.maxunicode + 1, np.bool_), 0
    for text in texts:
        present[code_points(text)] = True
        length += len(text)
    return [chr(point) for point in np.flatnonzero(present).tolist()], length


def encoded_pieces(texts: Iterable[str], vocabulary: Vocabulary) -> Iterator[Ids]:
    """The ids of each piece, shape (len(piece),). Raises TextChanged for a character outside the vocabulary."""
    for text in texts:
        try:
            yield vocabulary.encode(text)
        except UnknownCharacters:
            raise TextChanged from None


def encode_text(texts: Iterable[str], vocabulary: Vocabulary, length: int) -> Ids:
    """The ids of a text of this length, shape (length,), read-only. Raises TextChanged where the text is another."""
    ids, end = np.empty(length, vocabulary.dtype), 0
    for piece in encoded_pieces(texts, vocabulary):
        start, end = end, end + len(piece)
        if end > length:
            break
        ids[start:end] = piece
    if end != length:
        raise TextChanged
    ids.flags.writeable = False
    return ids
