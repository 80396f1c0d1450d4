"""Where each character of a growing text stands when it is wrapped to a width.

A row is filled greedily: it breaks after white space or a wide character, inside a word only where the word alone is
longer than a row. The last column is kept for a space or line feed, so that both stay visible places and a word does
not jump to the next row when the space behind it arrives. A row, once another follows it, never changes: what comes
later can only move the end of the last row. So appending wraps again from the start of the last row, and no further.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LINE_FEED_CODE: Final = 0x0A
_CHUNK: Final = 1 << 18  # characters wrapped at a time: bounds the scratch memory to some 10 MB

_UTF_32: Final = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"


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
        starts.extend(place + moved for place in behind)
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
        start = self._starts[row]
        return Place(row, position - start if self._plain(start, position) else int(self._cells(start, position).sum()))

    def position_at(self, row: int, column: int) -> int:
        """The character that covers a cell, or the nearest one of that row; the row's start where it has none."""
        start, end = self.row_span(row)
        if start == end:
            return start
        right_edges = self._cells(start, end).cumsum()
        return max(start, min(start + int(right_edges.searchsorted(column, side="right")), end - 1))

    def _plain(self, start: int, end: int) -> bool:
        """Whether each of these characters takes one cell and ends no row; so it needs no NumPy, and no counting."""
        codes = self._codes[start:end]
        return not codes or (min(codes) >= 0x20 and max(codes) < 0x7F)

    def _cells(self, start: int, end: int) -> NDArray[np.uint8]:
        from charrnn_tui.tui.textview.row_breaks import CELLS, kinds_of  # NumPy: the first frame needs none

        return kinds_of(self._codes[start:end]) & CELLS

    def _wrap_last_row(self, end: int | None = None) -> None:
        """Up to a line's end, or that of the text."""
        end = self.length if end is None else end
        start = self._starts[-1]
        if end - start < self._width and self._plain(start, end):
            return
        from charrnn_tui.tui.textview.row_breaks import breaks_of, kinds_of  # as in _cells

        chunk = max(_CHUNK, 2 * self._width)  # more than a row, so that every chunk finds a break
        while True:
            start = self._starts[-1]
            kinds = kinds_of(self._codes[start : min(end, start + chunk)])
            if len(kinds):
                self._starts.extend(start + row for row in breaks_of(kinds, self._width))
            if start + len(kinds) == end:
                return
