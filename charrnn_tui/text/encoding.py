"""A text encoded in one pass, before its alphabet is known: by the places in what has been seen of it, mended after."""

import sys
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.run.memory import in_large_pages
from charrnn_tui.text.byte_passes import COMPILED, UNKNOWN, look_up, look_up_known
from charrnn_tui.text.vocabulary import Codes, Ids, id_dtype

_CHUNK = 1 << 17  # characters mended at once: what the processor's cache holds
_FEW = 4  # places that moved, up to which a comparison for each costs less than looking all ids up again


class GrowingAlphabet:
    """The characters of a text as far as it has been read, sorted. A character's number is its place and one."""

    def __init__(self, sample: Codes = b"") -> None:
        """sample: characters of the text that are known to stand in it; the fewer are missing, the less is mended."""
        self._known: NDArray[np.uint32] = np.zeros(0, np.uint32)  # code points, sorted
        self._table: Ids = np.zeros(256, np.uint8)  # code point to number, 0: not known; all of them once one is wide
        self._bytes_table = bytes(256)
        self._places = bytes([UNKNOWN]) * 256  # code point to place, as long as all numbers are bytes
        self.learned: list[NDArray[np.uint32]] = []  # the code points that came together, each time some came
        self.number(sample)

    def number(self, codes: Codes) -> Ids:
        """The numbers of some characters, shape (len(codes),), after what is new among them has found its place.

        The array may be read-only.
        """
        if not isinstance(codes, bytes) and len(self._table) == 256:
            self._table = np.concatenate([self._table, np.zeros(sys.maxunicode - 255, self._table.dtype)])
        numbers = self._look_up(codes)
        if not numbers.min(initial=1):
            points: Ids = np.frombuffer(codes, np.uint8) if isinstance(codes, bytes) else codes
            strangers = points[numbers == 0]
            # Counting bytes is faster than sorting them.
            strangers = np.unique(strangers) if points.itemsize > 1 else np.flatnonzero(np.bincount(strangers))
            self._learn(strangers.astype(np.uint32))
            numbers = self._look_up(codes)
        return numbers

    def place_known(self, codes: Codes, out: Ids) -> bool:
        """Write the places of some characters, where that is done in one pass: bytes, all of them known."""
        if not isinstance(codes, bytes) or len(out) < len(codes):
            return False
        return out.dtype == self._table.dtype == np.uint8 and look_up_known(codes, self._places, out)

    def __len__(self) -> int:
        return len(self._known)

    @property
    def characters(self) -> list[str]:
        """All of them, sorted."""
        return [chr(point) for point in self._known.tolist()]

    def places_since(self, version: int) -> Iterable[tuple[int, NDArray[np.intp]]]:
        """For each length of `learned` from now back to `version`: the length, and where in the alphabet of today the
        characters stand that were known then, shape (known then,), ascending.
        """
        known, places = self._known, np.arange(len(self._known))
        for length in range(len(self.learned), version - 1, -1):
            yield length, places
            if length:
                were = np.searchsorted(known, self.learned[length - 1])
                known, places = np.delete(known, were), np.delete(places, were)

    def _look_up(self, codes: Codes) -> Ids:
        if not isinstance(codes, bytes):
            return self._table.take(codes, mode="clip")  # all are within; the mode that would say so takes longer
        if self._table.dtype == np.uint8:
            return look_up(codes, self._bytes_table)
        return self._table[:256].take(np.frombuffer(codes, np.uint8), mode="clip")

    def _learn(self, strangers: NDArray[np.uint32]) -> None:
        self.learned.append(strangers)
        self._known = np.sort(np.concatenate([self._known, strangers]), kind="stable")  # two runs: merged
        self._table = self._table.astype(id_dtype(len(self._known) + 1), copy=False)
        self._table[self._known] = np.arange(1, len(self._known) + 1)
        self._bytes_table = self._table[:256].astype(np.uint8).tobytes()
        self._places = (self._table[:256] - 1).astype(np.uint8).tobytes()


def alphabet_of(pieces: Iterable[Codes]) -> list[str]:
    """The characters that stand in the pieces of a text, sorted."""
    alphabet = GrowingAlphabet()
    for codes in pieces:
        alphabet.number(codes)
    return alphabet.characters


def encoded(pieces: Iterable[Codes], chars: int, sample: Codes = b"") -> tuple[Ids, list[str]]:
    """A text's ids, read-only, and its sorted alphabet, where they are the places in it; both empty for an empty text.

    chars: about so many there will be, or fewer; only those that come take memory. sample: characters that stand in
    the text, from all over it: the sooner the alphabet is complete, the sooner the ids are what they will be.
    """
    alphabet, count = GrowingAlphabet(sample), 0
    ids: Ids = np.frombuffer(in_large_pages(chars), np.uint8)[:chars]
    starts: dict[int, int] = {}  # length of `learned` to the first id that was given under it
    for codes in pieces:
        if alphabet.place_known(codes, ids[count : count + len(codes)]):
            starts.setdefault(len(alphabet.learned), count)
            count += len(codes)
            continue
        numbers = alphabet.number(codes)
        dtype = id_dtype(len(alphabet))
        if dtype != ids.dtype or count + len(numbers) > len(ids):
            larger = np.empty(max(len(ids), 2 * count + len(numbers)), dtype)
            larger[:count] = ids[:count]
            ids = larger
        starts.setdefault(len(alphabet.learned), count)
        np.subtract(numbers, 1, out=ids[count : count + len(numbers)], casting="unsafe")
        count += len(numbers)
    ids = ids[:count]
    end = count
    for version, places in alphabet.places_since(min(starts, default=0)):
        start = starts.get(version, end)
        _move(ids[start:end], places)
        end = start
    ids.flags.writeable = False
    return ids, alphabet.characters


def _move(ids: Ids, places: NDArray[np.intp]) -> None:
    """Replace each id by places[id], ascending, in place."""
    before = np.append(-1, places[:-1])
    moved = np.flatnonzero(places - before > 1)  # from these on, all stand further back
    if not len(moved):
        return
    few = len(moved) <= _FEW and ids.dtype == np.uint8 and not COMPILED.library
    behind = np.empty(_CHUNK, np.bool_)
    table = places.astype(ids.dtype)
    narrow = table.tobytes().ljust(256, b"\0") if ids.dtype == np.uint8 else b""
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        if few:
            for place in reversed(moved.tolist()):  # the last first: what has moved stays behind the others' places
                moving = np.greater_equal(chunk, np.uint8(place), out=behind[: len(chunk)]).view(np.uint8)
                by = places[place] - before[place] - 1
                chunk += moving if by == 1 else moving * np.uint8(by)
        elif narrow:
            look_up_known(chunk, narrow, chunk)
        else:
            chunk[:] = table.take(chunk)
