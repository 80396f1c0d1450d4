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

from charrnn_tui.tui.widgets.visible import cells_of

_CELLS: Final = 0x07  # bits of a kind: how many cells, 0 where the kind is not known yet
_BREAKS_AFTER: Final = 0x08
_HANGS: Final = 0x10  # may stand in the last column
_LINE_FEED: Final = 0x20
_LINE_FEED_CODE: Final = 0x0A
_BREAKING_SPACES: Final = frozenset("\t \u1680\u3000") | {chr(code) for code in range(0x2000, 0x200B) if code != 0x2007}
_CHUNK: Final = 1 << 18  # characters wrapped at a time: bounds the scratch memory to some 10 MB

_UTF_32: Final = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"

_kinds: Final = np.zeros(0x110000, np.uint8)  # untouched pages of it take no memory


def _kind_of(code: int) -> int:
    character = chr(code)
    if character == "\n":
        return 1 | _BREAKS_AFTER | _HANGS | _LINE_FEED
    cells = cells_of(character)
    if character in _BREAKING_SPACES:
        return cells | _BREAKS_AFTER | _HANGS
    return cells | _BREAKS_AFTER if cells == 2 else cells


def _kinds_of(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    kinds = _kinds[codes]
    if not kinds.all():
        for code in np.unique(codes[kinds == 0]).tolist():
            _kinds[code] = _kind_of(code)
        kinds = _kinds[codes]
    return kinds


def _breaks(kinds: NDArray[np.uint8], width: int) -> list[int]:
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


class Place(NamedTuple):
    """A cell of the wrapped text."""

    row: int
    column: int


class WrappedText:
    """A text, 4 bytes a character, and where its rows start, 4 bytes a row."""

    def __init__(self, width: int = 80) -> None:
        self._width = max(1, width)
        self._codes = array("I")
        self._starts = array("I", [0])

    @property
    def width(self) -> int:
        return self._width

    @property
    def length(self) -> int:
        """How many characters there are."""
        return len(self._codes)

    @property
    def row_count(self) -> int:
        """At least 1; a line feed at the end is followed by an empty row."""
        return len(self._starts)

    @property
    def end(self) -> Place:
        """Where the next character would begin, if it fits there."""
        return self.locate(self.length)

    def text(self, start: int = 0, end: int | None = None) -> str:
        """The raw characters in [start, end)."""
        return self._codes[start:end].tobytes().decode(_UTF_32, "surrogatepass")

    def append(self, text: str) -> int:
        """Add characters at the end; return the first position that is new or has changed its place."""
        first = self.length
        row = self.row_count
        self._codes.frombytes(text.encode(_UTF_32, "surrogatepass"))
        self._wrap_last_row()
        return min(first, self._starts[row]) if row < self.row_count else first

    def replace(self, start: int, end: int, text: str) -> int:
        """Put a text in the place of the characters [start, end); return the first row that may have changed.

        Wraps the lines again that it touches; those behind them only move.
        """
        # A word that has become shorter may fit into the row before.
        row = max(0, bisect_right(self._starts, start) - 2)
        starts = self._starts
        try:
            next_line = self._codes.index(_LINE_FEED_CODE, end) + 1
        except ValueError:
            next_line = self.length
        behind = starts[bisect_right(starts, next_line) :]
        codes = array("I")
        codes.frombytes(text.encode(_UTF_32, "surrogatepass"))
        self._codes[start:end] = codes
        moved = len(codes) - (end - start)
        del starts[row + 1 :]
        self._wrap_last_row(next_line + moved)
        starts.frombytes((np.array(behind, np.int64) + moved).astype(np.uint32).tobytes())
        return row

    def clear(self) -> None:
        del self._codes[:]
        self._starts = array("I", [0])

    def resize(self, width: int) -> None:
        """Wrap everything to another width."""
        if self._width != (width := max(1, width)):
            self._width = width
            self._starts = array("I", [0])
            self._wrap_last_row()

    def row_span(self, row: int) -> tuple[int, int]:
        """The characters [start, end) of a row; the line feed that ends it counts as its own."""
        return self._starts[row], self._starts[row + 1] if row + 1 < self.row_count else self.length

    def locate(self, position: int) -> Place:
        """The cell where a character begins; the length of the text may be asked for, too."""
        row = bisect_right(self._starts, position) - 1
        return Place(row, int(self._cells(self._starts[row], position).sum()))

    def position_at(self, row: int, column: int) -> int:
        """The character that covers a cell, or the nearest one of that row; the row's start where it has none."""
        start, end = self.row_span(row)
        right_edges = np.cumsum(self._cells(start, end))
        return max(start, min(start + int(np.searchsorted(right_edges, column, side="right")), end - 1))

    def _cells(self, start: int, end: int) -> NDArray[np.uint8]:
        return _kinds_of(np.array(self._codes[start:end], np.uint32)) & np.uint8(_CELLS)

    def _wrap_last_row(self, end: int | None = None) -> None:
        """Up to a line's end, or that of the text."""
        end = self.length if end is None else end
        chunk = max(_CHUNK, 2 * self._width)  # more than a row, so that every chunk finds a break
        while True:
            start = self._starts[-1]
            kinds = _kinds_of(np.array(self._codes[start : min(end, start + chunk)], np.uint32))
            if len(kinds):
                self._starts.extend(start + row for row in _breaks(kinds, self._width))
            if start + len(kinds) == end:
                return
