"""The suffix array of a text: the places of its characters, sorted by what follows from there to the end.

libdivsufsort builds it where the package pydivsufsort is installed. Else NumPy does by prefix doubling: the suffixes
are sorted by their first k characters; those that agree in these form a group, which is sorted by what follows k
characters on: that is a suffix, too, whose order is that of its group. Then 2k characters are sorted (Manber & Myers
1993, Larsson & Sadakane 2007).
"""

import importlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.text.vocabulary import Ids

Places = NDArray[np.int32]

MOST = (1 << 31) - 1  # characters of a text
_BLOCK = 1 << 15  # suffixes that are sorted at once, where their groups allow it
_PIECE = 1 << 18  # characters that are looked through at once
_RANGES = 32  # in which the suffixes are sorted by their beginnings


class TextTooLong(ValueError):
    """A text has more characters than an index can number; the message is one line."""


def suffix_array(ids: Ids, check: Callable[[], None] = lambda: None) -> Places:
    """The places 0 … T - 1 in the order of the suffixes that begin there, (T,), int32; ids: (T,).

    A suffix that another one begins with comes first. check: called now and then, to give up the work; with
    pydivsufsort before and after it only. Ten million characters take about a second with pydivsufsort and five
    without; 5 and 10 bytes a character, the result included. Raises TextTooLong above MOST characters.
    """
    if len(ids) > MOST:
        raise TextTooLong(f"the text has {len(ids):,} characters; one of up to {MOST:,} can be searched")
    library = _library()
    check()
    if library is None or len(ids) == 0:
        return _by_doubling(ids, check)
    found: Places = library.divsufsort(ids.tobytes() if ids.dtype == np.uint8 else ids)  # it refuses read-only bytes
    check()
    return found


def _library() -> Any:
    """The module pydivsufsort, or None."""
    try:
        return importlib.import_module("pydivsufsort")
    except ImportError:
        return None


def _by_doubling(ids: Ids, check: Callable[[], None]) -> Places:
    suffixes, first, known = _sorted_by_beginnings(ids, check)
    # The group of each place: the number of the first of its suffixes that begin alike. Larger is later in the order.
    groups = np.empty(len(ids) + 1, np.int32)
    groups[-1] = -1  # of the empty suffix, which is the first of all
    for begin, end in _blocks(first):
        starts = np.flatnonzero(first[begin:end])
        groups[suffixes[begin:end]] = np.repeat(starts + begin, np.diff(starts, append=end - begin))
    while not first.all():
        for begin, end in _blocks(first):
            check()
            _sort_groups(suffixes[begin:end], first[begin:end], groups, begin, known)
        known *= 2
    return suffixes


def _sorted_by_beginnings(ids: Ids, check: Callable[[], None]) -> tuple[Places, NDArray[np.bool_], int]:
    """The places sorted by the first `known` characters, and which of them begin otherwise than the one before.

    Some of the places at a time: those whose first two characters are in a range, for whose keys there is room.
    """
    size = len(ids)
    place_bits = max(1, size.bit_length())
    bits = (int(ids.max(initial=0)) + 1).bit_length()  # of a character, with 0 for none
    known = max(1, min(size, (64 - place_bits) // bits))
    suffixes, first = np.empty(size, np.int32), np.ones(size, np.bool_)
    mask, done = np.uint64((1 << place_bits) - 1), 0
    for places in _by_range(_firsts(ids)):
        check()
        keys = np.zeros(len(places), np.uint64)
        for offset in range(known):
            keys <<= np.uint64(bits)
            inside = int(np.searchsorted(places, size - offset))
            keys[:inside] += ids[places[:inside] + offset]
            keys[:inside] += np.uint64(1)
        keys <<= np.uint64(place_bits)
        keys += places.astype(np.uint64)
        keys.sort()
        end = done + len(keys)
        suffixes[done:end] = keys & mask
        keys >>= np.uint64(place_bits)
        first[done + 1 : end] = keys[1:] != keys[:-1]
        done = end
    return suffixes, first, known


def _firsts(ids: Ids) -> NDArray[np.integer[Any]]:
    """The first two characters of each suffix as a number, in their order; of a large alphabet the first one, (T,)."""
    tokens = int(ids.max(initial=0)) + 2  # with one for none
    if tokens * tokens > 1 << 16:
        return ids
    firsts = ids.astype(np.uint16)
    firsts += np.uint16(1)
    firsts *= np.uint16(tokens)
    firsts[:-1] += ids[1:]
    firsts[:-1] += np.uint16(1)
    return firsts


def _by_range(firsts: NDArray[np.integer[Any]]) -> Iterator[NDArray[np.int64]]:
    """The places of the numbers of one range after the other, ascending within each; about T / _RANGES at a time."""
    counts = np.zeros(int(firsts.max(initial=0)) + 1, np.int64)
    pieces = range(0, len(firsts), _PIECE)
    for begin in pieces:
        counts += np.bincount(firsts[begin : begin + _PIECE], minlength=len(counts))
    ends, low = np.cumsum(counts), 0
    while low < len(counts):
        before = int(ends[low - 1]) if low else 0
        high = max(low + 1, int(np.searchsorted(ends, before + len(firsts) // _RANGES, side="right")))
        found = [
            begin + np.flatnonzero((piece >= low) & (piece < high))
            for begin in pieces
            for piece in (firsts[begin : begin + _PIECE],)
        ]
        if ends[high - 1] > before:
            yield np.concatenate(found)
        low = high


def _blocks(first: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Ranges of whole groups with _BLOCK suffixes and more each; a single group may be as large as the text."""
    cuts = [0]
    while cuts[-1] < len(first):
        after = cuts[-1] + _BLOCK
        rest = first[after:]
        step = int(rest.argmax()) if len(rest) else 0
        cuts.append(after + step if len(rest) and rest[step] else len(first))
    return list(pairwise(cuts))


def _sort_groups(suffixes: Places, first: NDArray[np.bool_], groups: Places, begin: int, known: int) -> None:
    """Sort each group of a block by the groups of what follows `known` characters on; suffixes and first in place.

    begin: the number of the block's first suffix among all. `groups` may be of a finer order than `known` characters.
    """
    alone = first & np.append(first[1:], True)
    open_ = np.flatnonzero(~alone)
    if not len(open_):
        return
    places = suffixes[open_]
    after = groups[np.minimum(places.astype(np.int64) + known, len(groups) - 1)]
    keys = groups[places].astype(np.int64) << 32
    keys += after.astype(np.int64) + 1
    order = np.argsort(keys)
    keys = keys[order]
    suffixes[open_] = places[order]
    new = np.append(True, keys[1:] != keys[:-1])
    first[open_] = new
    starts = open_[new]
    groups[suffixes[open_]] = np.repeat(starts, np.diff(np.flatnonzero(new), append=len(open_))) + begin
