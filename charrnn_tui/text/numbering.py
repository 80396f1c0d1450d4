"""Characters numbered as they appear: a text is encoded in one pass, before its alphabet is known."""

import sys
from collections.abc import Iterable

import numpy as np

from charrnn_tui.text.vocabulary import Codes, Ids, id_dtype

_SAMPLE = 4096  # strangers learned at once: most of a text's alphabet stands in so many characters
_CHUNK = 1 << 18  # characters renumbered at once: what the processor's cache holds


class Numbering:
    """Gives out numbers from 1 up, in the smallest unsigned dtype that holds those given out so far."""

    def __init__(self) -> None:
        self._known: list[int] = []  # code points, in the order of their numbers
        self._table: Ids = np.zeros(sys.maxunicode + 1, np.uint8)  # 0: no number; memory only where it is written
        self._bytes_table = bytes(256)

    def number(self, codes: Codes) -> Ids:
        """The numbers of some characters, shape (len(codes),); new ones get theirs. The array may be read-only."""
        points: Ids = np.frombuffer(codes, np.uint8) if isinstance(codes, bytes) else codes
        if not self._known:
            self._learn(np.unique(points[:_SAMPLE]))
        numbers = self._look_up(codes)
        if not numbers.min(initial=1):
            places = np.flatnonzero(numbers == 0)
            strangers = rest = points[places]
            while len(rest):
                self._learn(np.unique(rest[:_SAMPLE]))
                rest = rest[self._table.take(rest) == 0]
            numbers = numbers.astype(self._table.dtype)
            numbers[places] = self._table.take(strangers)
        return numbers

    @property
    def alphabet(self) -> list[str]:
        """The characters that have numbers, sorted."""
        return sorted(map(chr, self._known))

    @property
    def places(self) -> Ids:
        """The place in `alphabet` of each number, shape (len(alphabet) + 1,)."""
        places = np.zeros(len(self._known) + 1, id_dtype(len(self._known)))
        places[1 + np.argsort(self._known)] = np.arange(len(self._known))
        return places

    def _look_up(self, codes: Codes) -> Ids:
        if not isinstance(codes, bytes):
            return self._table.take(codes, mode="clip")  # all are within; the mode that would say so takes longer
        if self._table.dtype == np.uint8:
            return np.frombuffer(codes.translate(self._bytes_table), np.uint8)
        return self._table[:256].take(np.frombuffer(codes, np.uint8), mode="clip")

    def _learn(self, strangers: Ids) -> None:
        given = len(self._known)
        if given + len(strangers) > np.iinfo(self._table.dtype).max:
            self._table = self._table.astype(id_dtype(given + len(strangers) + 1))
        self._table[strangers] = np.arange(given + 1, given + 1 + len(strangers))
        self._known += strangers.tolist()
        self._bytes_table = self._table[:256].astype(np.uint8).tobytes()


def alphabet_of(pieces: Iterable[Codes]) -> list[str]:
    """The characters that stand in the pieces of a text, sorted."""
    numbering = Numbering()
    for codes in pieces:
        numbering.number(codes)
    return numbering.alphabet


def encoded(pieces: Iterable[Codes], chars: int) -> tuple[Ids, list[str]]:
    """A text's ids, read-only, and its sorted alphabet, where they are the places in it; both empty for an empty text.

    chars: about so many there will be, or fewer; only those that come take memory. The numbers stand where the ids do.
    """
    numbering, count = Numbering(), 0
    numbers: Ids = np.empty(chars, np.uint8)
    for codes in pieces:
        piece = numbering.number(codes)
        if piece.dtype != numbers.dtype or count + len(piece) > len(numbers):
            larger = np.empty(max(len(numbers), 2 * count + len(piece)), piece.dtype)
            larger[:count] = numbers[:count]
            numbers = larger
        numbers[count : count + len(piece)] = piece
        count += len(piece)
    ids, places = numbers[:count], numbering.places
    narrow = places.tobytes().ljust(256, b"\0") if ids.dtype == np.uint8 else b""
    for start in range(0, count, _CHUNK):
        chunk = ids[start : start + _CHUNK]
        chunk[:] = np.frombuffer(chunk.tobytes().translate(narrow), np.uint8) if narrow else places.take(chunk)
    ids = ids.astype(places.dtype, copy=False)  # 256 characters have numbers up to 256, but ids up to 255
    ids.flags.writeable = False
    return ids, numbering.alphabet
