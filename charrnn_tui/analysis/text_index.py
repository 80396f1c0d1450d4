"""Where the passages of other texts stand in a text: searches in its suffix array."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.suffix_array import Places, suffix_array
from charrnn_tui.text.array_cache import ArrayCache
from charrnn_tui.text.long_text import chunks
from charrnn_tui.text.text_file import CorpusError
from charrnn_tui.text.vocabulary import Ids

Numbers = NDArray[np.int64]

CACHED_FROM = 1 << 20  # characters: a shorter text is indexed in a blink
LONGEST = 256  # characters of a match that are compared; a text that is all one line would take hours without an end
BLOCK = 1 << 14  # matches that are searched for between two calls of `check`
_WORD = 16  # characters that are compared at once


@dataclass(frozen=True, eq=False)
class TextIndex:
    """A text, (T,), and its suffix array, (T,). Memory: 4 bytes a character beside the text."""

    ids: Ids
    suffixes: Places

    def longest_match(
        self, text: Ids, most: int = LONGEST, check: Callable[[], None] = lambda: None
    ) -> tuple[NDArray[np.int32], Places]:
        """For each character of a text the longest passage from there on that the indexed text has, too.

        text: (N,), ids of the same vocabulary; one that the indexed text has not matches nothing. Returns the lengths,
        (N,), `most` at most and 0 for none, and where in the indexed text one such passage begins, (N,), -1 for none.
        check: called now and then, to give up the work. A million characters in a text of two million take about ten
        seconds.
        """
        lengths, sources = np.zeros(len(text), np.int32), np.full(len(text), -1, np.int32)
        if not len(self.ids):
            return lengths, sources
        search = _Search(text, self, most)
        for begin in range(0, len(text), BLOCK):
            check()
            block = slice(begin, begin + BLOCK)
            lengths[block], sources[block] = search.longest(np.arange(len(text))[block])
        sources[lengths == 0] = -1
        return lengths, sources

    def shared_with_next(self, most: int = LONGEST, check: Callable[[], None] = lambda: None) -> NDArray[np.int32]:
        """How many characters each suffix, in order, begins with as the next one does: (T - 1,), `most` at most."""
        shared, search = np.empty(max(0, len(self.ids) - 1), np.int32), _Search(self.ids, self, most)
        for begin in range(0, len(shared), BLOCK):
            check()
            near = self.suffixes[begin : begin + BLOCK + 1].astype(np.int64)
            shared[begin : begin + BLOCK] = search.compare(near[1:], near[:-1], np.zeros_like(near[1:]))[0]
        return shared

    def places(self, passage: Ids) -> Places:
        """Where a passage stands, its first characters, ascending; all places of the text for an empty one."""

        def beginning(suffix: np.int32) -> list[int]:
            characters: list[int] = self.ids[suffix : suffix + len(wanted)].tolist()
            return characters

        wanted = passage.tolist()
        first = bisect_left(self.suffixes, wanted, key=beginning)
        end = bisect_right(self.suffixes, wanted, first, key=beginning)
        return np.sort(self.suffixes[first:end])

    def count(self, passage: Ids) -> int:
        """How often a passage stands in the text, overlapping ones included."""
        return len(self.places(passage))


def index_text(ids: Ids, cache: Path | None = None, check: Callable[[], None] = lambda: None) -> TextIndex:
    """Index a text, (T,).

    cache: a directory to take the index of a long text from, or to store it in where it has none. check: called now and
    then, to give up the work. Raises TextTooLong.
    """
    if cache is None or len(ids) < CACHED_FROM:
        return TextIndex(ids, suffix_array(ids, check))
    stored, key = ArrayCache(cache), f"suffixes-{_hash_of(ids)}"
    found = stored.find(key)
    if found is not None and found[0].dtype == np.int32 and len(found[0]) == len(ids):
        return TextIndex(ids, cast(Places, found[0]))
    suffixes = suffix_array(ids, check)
    with suppress(CorpusError):  # no room: it is made again the next time
        stored.put(key, suffixes.dtype, [suffixes])
    return TextIndex(ids, suffixes)


def _hash_of(ids: Ids) -> str:
    digest = hashlib.sha256(ids.dtype.str.encode())
    for chunk in chunks(ids):
        digest.update(chunk.data)
    return digest.hexdigest()


class _Search:
    """Binary searches in an index, side by side, for what follows the places of a text."""

    def __init__(self, text: Ids, index: TextIndex, most: int) -> None:
        self._suffixes, self._most = index.suffixes, most
        self._sizes = len(text), len(index.ids)
        kind = np.result_type(text.dtype, index.ids.dtype)
        padding = np.zeros(_WORD, kind)  # so that a word may begin at the last character
        self._text, self._indexed = (
            np.lib.stride_tricks.sliding_window_view(np.concatenate([ids, padding], dtype=kind), _WORD)
            for ids in (text, index.ids)
        )

    def longest(self, places: Numbers) -> tuple[Numbers, Numbers]:
        """The lengths and the sources of the longest matches of what follows these places, (B,) each.

        Each suffix of the text belongs between two neighbours of the suffix array; no other one has more in common.
        """
        low, high = np.full(len(places), -1), np.full(len(places), len(self._suffixes))
        low_same, high_same = np.zeros_like(low), np.zeros_like(low)  # characters that they have in common with it
        while len(open_ := np.flatnonzero(high - low > 1)):
            middle = (low[open_] + high[open_]) // 2
            least = np.minimum(low_same[open_], high_same[open_])  # all between the two have as many in common
            same, below = self.compare(places[open_], self._suffixes[middle].astype(np.int64), least)
            low[open_], low_same[open_] = np.where(below, (middle, same), (low[open_], low_same[open_]))
            high[open_], high_same[open_] = np.where(below, (high[open_], high_same[open_]), (middle, same))
        nearest = np.where(low_same > high_same, low, np.minimum(high, len(self._suffixes) - 1))
        return np.maximum(low_same, high_same), self._suffixes[nearest].astype(np.int64)

    def compare(self, places: Numbers, suffixes: Numbers, same: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
        """How many characters, `most` at most, the suffixes of the two texts have in common, and which are below.

        same: how many they are known to have in common. Below: the suffix of the indexed text is the smaller one.
        """
        most = np.minimum(self._most, np.minimum(self._sizes[0] - places, self._sizes[1] - suffixes))
        same, open_ = same.copy(), np.flatnonzero(same < most)
        while len(open_):
            ours, theirs = self._text[places[open_] + same[open_]], self._indexed[suffixes[open_] + same[open_]]
            differ = ours != theirs
            found = differ.any(axis=1)
            same[open_] += np.where(found, differ.argmax(axis=1), _WORD)
            open_ = open_[~found & (same[open_] < most[open_])]
        same = np.minimum(same, most)
        ended = suffixes + same == self._sizes[1]
        ours, theirs = self._text[places + same, 0], self._indexed[suffixes + same, 0]
        below = np.where(same < most, theirs < ours, ended & (same < self._most) & (places + same < self._sizes[0]))
        return same, below
