"""Where rows break, in NumPy: many characters at a time."""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.tui.textview.visible import cells_of

CELLS: Final = np.uint8(0x07)  # bits of a kind: how many cells, 0 where the kind is not known yet
_BREAKS_AFTER: Final = 0x08
_HANGS: Final = 0x10  # may stand in the last column
_LINE_FEED: Final = 0x20
_BREAKING_SPACES: Final = frozenset("\t \u1680\u3000") | {chr(code) for code in range(0x2000, 0x200B) if code != 0x2007}


_kinds: Final = np.zeros(0x110000, np.uint8)  # untouched pages of it take no memory


def _kind_of(code: int) -> int:
    character = chr(code)
    if character == "\n":
        return 1 | _BREAKS_AFTER | _HANGS | _LINE_FEED
    cells = cells_of(character)
    if character in _BREAKING_SPACES:
        return cells | _BREAKS_AFTER | _HANGS
    return cells | _BREAKS_AFTER if cells == 2 else cells


def kinds_of(characters: array[int]) -> NDArray[np.uint8]:
    """Cells and properties of characters, (n,) code points → (n,) bits: `CELLS` of them say how many cells."""
    codes = np.array(characters, np.uint32)
    kinds = _kinds[codes]
    if not kinds.all():
        for code in set(codes[kinds == 0].tolist()):
            _kinds[code] = _kind_of(code)
        kinds = _kinds[codes]
    return kinds


def breaks_of(kinds: NDArray[np.uint8], width: int) -> list[int]:
    """Where rows after the first one start, (n,) kinds → up to n indices; n itself after a line feed at the end.

    For every index the start of the following row is worked out as if a row started there; then the true ones are
    picked by walking from the first.
    """
    n = len(kinds)
    index = np.arange(n, dtype=np.int32)
    after = np.zeros(n + 1, np.int32)  # after[i] = cells of the first i characters
    np.cumsum(kinds & CELLS, out=after[1:])
    # The body of a row ends before its last column ...
    reach = np.searchsorted(after, after[:-1] + max(1, width - 1), side="right").astype(np.int32) - 1
    # ... where one more space or line feed may hang.
    beyond = np.minimum(reach, n - 1)
    hangs = (kinds[beyond] & _HANGS != 0) & (reach < n) & (after[beyond + 1] <= after[:-1] + width)
    reach = np.maximum(reach + hangs, index + 1)  # a character wider than the row has a row for itself
    last_break = np.zeros(n + 1, np.int32)
    np.maximum.accumulate(np.where(kinds & _BREAKS_AFTER, index + 1, 0), out=last_break[1:])
    following = np.where(last_break[reach] > index, last_break[reach], reach)
    following[reach == n] = n + 1
    line_feeds = np.where(kinds & _LINE_FEED, index, n)
    line_feed = np.minimum.accumulate(line_feeds[::-1])[::-1]
    follows: list[int] = np.where(line_feed < reach, line_feed + 1, following).tolist()
    breaks = []
    start = follows[0]
    while start < n:
        breaks.append(start)
        start = follows[start]
    if start == n:
        breaks.append(n)
    return breaks
