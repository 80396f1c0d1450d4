"""Where each character of a growing text stands when it is wrapped to a width.

A row is filled greedily: it breaks after white space or a wide character, inside a word only where the word alone is
longer than a row. The last column is kept for a space or line feed, so that both stay visible places and a word does
not jump to the next row when the space behind it arrives. A row, once another follows it, never changes: what comes
later can only move the end of the last row. So appending wraps again from the start of the last row, and no further.
"""

import sys
from array import array
from bisect import bisect_right
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from charrnn_tui.text.byte_text import joined_at
from charrnn_tui.tui.textview.visible import visible

_UTF_32: Final = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
_CELLS: Final = np.uint8(0x07)  # bits of a kind: how many cells, 0 where the kind is not known yet
_BREAKS_AFTER: Final = 0x08
_HANGS: Final = 0x10  # may stand in the last column
_LINE_FEED: Final = 0x20
BREAKING_SPACES: Final = frozenset("\t \u1680\u3000") | {chr(code) for code in range(0x2000, 0x200B) if code != 0x2007}


class Place(NamedTuple):
    """A cell of the wrapped text."""

    row: int
    column: int


class WrappedText:
    """A text, 4 bytes a character, and where its rows start, 4 bytes a row."""

    def __init__(self, width: int = 80) -> None:
        self.width = max(1, width)
        self._codes = array("I")
        self._starts = array("I", [0])

    @property
    def length(self) -> int:
        """How many characters there are."""
        return len(self._codes)

    @property
    def row_count(self) -> int:
        """At least 1; a line feed at the end is followed by an empty row."""
        return len(self._starts)

    def text(self, start: int = 0, end: int | None = None) -> str:
        """The raw characters in [start, end)."""
        return self._codes[start:end].tobytes().decode(_UTF_32, "surrogatepass")

    def append(self, text: str) -> int:
        """Add characters at the end; return the first position that is new or has changed its place."""
        first = self.length
        if "\udc80" <= text[:1] <= "\udcbf":  # a byte that may end a character, which has fewer cells than its bytes
            first = max(0, first - 3)
            first = self._unwrap(first)
        row = self.row_count
        self._codes.frombytes(text.encode(_UTF_32, "surrogatepass"))
        self._wrap_last_row()
        return min(first, self._starts[row]) if row < self.row_count else first

    def _unwrap(self, position: int) -> int:
        """Forget the rows that begin behind a position, and the one that it is in: a word may go back to that above.

        Returns the first position whose place may change.
        """
        while self._starts[-1] > position:
            self._starts.pop()
        return self._starts.pop() if len(self._starts) > 1 else 0

    def clear(self) -> None:
        del self._codes[:]
        self._starts = array("I", [0])

    def resize(self, width: int) -> None:
        """Wrap everything to another width."""
        if self.width != (width := max(1, width)):
            self.width = width
            self._starts = array("I", [0])
            self._wrap_last_row()

    def row_span(self, row: int) -> tuple[int, int]:
        """The characters [start, end) of a row; the line feed that ends it counts as its own."""
        return self._starts[row], self._starts[row + 1] if row + 1 < self.row_count else self.length

    def locate(self, position: int) -> Place:
        """The cell where a character begins, or for the length of the text where the next one would."""
        row = bisect_right(self._starts, position) - 1
        start, end = self.row_span(row)
        return Place(row, int(self._cells(start, end)[: position - start].sum()))

    def position_at(self, row: int, column: int) -> int:
        """The character that covers a cell, or the nearest one of that row; the row's start where it has none."""
        start, end = self.row_span(row)
        if start == end:
            return start
        right_edges = self._cells(start, end).cumsum()
        return max(start, min(start + int(right_edges.searchsorted(column, side="right")), end - 1))

    def _cells(self, start: int, end: int) -> NDArray[np.uint8]:
        return _kinds_of(self._codes[start:end]) & _CELLS

    def _wrap_last_row(self) -> None:
        """Up to the end of the text."""
        start = self._starts[-1]
        if start < self.length:
            kinds = _kinds_of(self._codes[start:])
            self._starts.extend(start + row for row in _breaks_of(kinds, self.width))


_kinds: Final = np.zeros(0x110000, np.uint8)  # untouched pages of it take no memory


def _kind_of(code: int) -> int:
    character = chr(code)
    if character == "\n":
        return 1 | _BREAKS_AFTER | _HANGS | _LINE_FEED
    cells = cell_len(visible(character))
    if character in BREAKING_SPACES:
        return cells | _BREAKS_AFTER | _HANGS
    return cells | _BREAKS_AFTER if cells == 2 else cells


def _kinds_of(characters: "array[int]") -> NDArray[np.uint8]:
    """Cells and properties of characters, (n,) code points → (n,) bits: `_CELLS` of them say how many cells.

    Bytes that are a character stand where their first one is; the others have no cell.
    """
    codes = np.array(characters, np.uint32)
    kinds = _kinds[codes]
    if not kinds.all():
        for code in set(codes[kinds == 0].tolist()):
            _kinds[code] = _kind_of(code)
        kinds = _kinds[codes]
    if ((codes >= 0xDC80) & (codes <= 0xDCFF)).any():
        for start, end, character in joined_at(codes.tobytes().decode(_UTF_32, "surrogatepass")):
            kind = _kind_of(ord(character))
            kinds[start:end] = 0
            kinds[start] = kind & (_CELLS | _HANGS)
            kinds[end - 1] |= kind & _BREAKS_AFTER
    return kinds


def _breaks_of(kinds: NDArray[np.uint8], width: int) -> list[int]:
    """Where rows after the first one start, (n,) kinds → up to n indices; n itself after a line feed at the end.

    For every index the start of the following row is worked out as if a row started there; then the true ones are
    picked by walking from the first.
    """
    n = len(kinds)
    index = np.arange(n, dtype=np.int32)
    after = np.zeros(n + 1, np.int32)  # after[i] = cells of the first i characters
    np.cumsum(kinds & _CELLS, out=after[1:])
    # The body of a row ends before its last column ...
    reach = np.searchsorted(after, after[:-1] + max(1, width - 1), side="right").astype(np.int32) - 1
    # ... where one more space or line feed may hang.
    beyond = np.minimum(reach, n - 1)
    hangs = (kinds[beyond] & _HANGS != 0) & (reach < n) & (after[beyond + 1] <= after[:-1] + width)
    reach = np.maximum(reach + hangs, index + 1)  # a character wider than the row has a row for itself
    if not (kinds & _CELLS).all():  # a byte stays with the first one of its character
        beginning = np.where(kinds & _CELLS, index, np.int32(n))
        reach = np.append(np.minimum.accumulate(beginning[::-1])[::-1], np.int32(n))[reach]
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
