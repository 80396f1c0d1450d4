"""A chart as a grid of characters, each with the ink it is written in."""

from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise

import numpy as np
from rich.cells import cell_len

from charrnn_tui.tui.chart.braille import BRAILLE
from charrnn_tui.tui.chart.braille import Cells as Patterns
from charrnn_tui.tui.textview.visible import visible

BLANK = ord(" ")


class Ink(IntEnum):
    """What a character belongs to; the widget knows how each looks."""

    TEXT = 0
    TITLE = 1
    AXIS = 2
    RAW = 3
    SMOOTHED = 4
    VALIDATION = 5
    BEST = 6
    OVERLAY = 7
    CROSSHAIR = 8
    READOUT = 9
    INTERVENTION = 10
    HINT = 11
    BASELINE = 12


class ChartCells:
    """Characters (code points, uint32) and inks (uint8), both of shape (height, width)."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.characters = np.full((height, width), BLANK, dtype=np.uint32)
        self.inks = np.zeros((height, width), dtype=np.uint8)

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    def write(self, row: int, column: int, text: str, ink: Ink) -> None:
        """Write a line of text, cut at the edges. Characters that are not one cell wide become a middle dot."""
        if not 0 <= row < self.height:
            return
        visible = text[max(0, -column) : max(0, self.width - column)]
        column = max(0, column)
        if not (visible.isascii() and visible.isprintable()):
            visible = "".join(map(one_cell, visible))
        self.characters[row, column : column + len(visible)] = np.frombuffer(visible.encode("utf-32-le"), dtype="<u4")
        self.inks[row, column : column + len(visible)] = ink

    def paint(self, row: int, column: int, patterns: Patterns, ink: Ink) -> None:
        """Lay braille patterns over what is there; blank patterns are transparent."""
        rows, columns = patterns.shape
        inked = patterns > 0
        there = slice(row, row + rows), slice(column, column + columns)
        self.characters[there][inked] = BRAILLE + patterns[inked].astype(np.uint32)
        self.inks[there][inked] = ink

    def is_blank(self, row: int, column: int, length: int) -> bool:
        """Whether so many cells of a row are blank; there is nothing beyond the edges."""
        return bool((self.characters[row, max(0, column) : max(0, column + length)] == BLANK).all())

    def draw_level(self, row: int, column: int, label: str, mark: str, ink: Ink) -> None:
        """A line of marks through what is blank in a row, from a column on, and the label where it first has room."""
        blank = self.characters[row] == BLANK
        places = range(column + 1, self.width - len(label))
        start = next((place for place in places if blank[place : place + len(label)].all()), None)
        for place in np.flatnonzero(blank[column:]).tolist():
            self.write(row, column + place, mark, ink)
        if start is not None:
            self.write(row, start, label, ink)

    def row_text(self, row: int) -> str:
        return bytes(self.characters[row].astype("<u4").tobytes()).decode("utf-32-le")

    def runs(self, row: int) -> Iterator[tuple[str, Ink]]:
        """The row as stretches of one ink. A blank takes the ink before it: every change of ink costs 40 bytes."""
        text, inks = self.row_text(row), self.inks[row]
        blank = (self.characters[row] == BLANK) & (inks == Ink.TEXT)
        inks = inks[np.maximum.accumulate(np.where(blank, 0, np.arange(self.width)))]
        inks[blank & (inks == Ink.READOUT)] = Ink.TEXT  # the one ink that shows on a blank
        starts = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist(), self.width]
        for start, stop in pairwise(starts):
            if start < stop:
                yield text[start:stop], Ink(int(inks[start]))

    def changes_since(self, before: "ChartCells") -> list[tuple[int, int, int]]:
        """Each row that differs from that of a grid of the same size, with its first and last column that does."""
        different = (self.characters != before.characters) | (self.inks != before.inks)
        columns = [(row, np.flatnonzero(different[row])) for row in np.flatnonzero(different.any(axis=1)).tolist()]
        return [(row, int(changed[0]), int(changed[-1])) for row, changed in columns]


def one_cell(character: str) -> str:
    """What to draw for a character where each has exactly one cell."""
    if " " <= character <= "~":
        return character
    stand_in = visible(character)
    return stand_in if len(stand_in) == 1 and cell_len(stand_in) == 1 else "·"
