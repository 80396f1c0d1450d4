"""A NumPy raster of braille dots: two columns and four rows of dots in every terminal cell.

Dots are a boolean array of shape (4 * rows, 2 * columns), row 0 at the top.
"""

import numpy as np
import numpy.typing as npt

DOTS_ACROSS, DOTS_DOWN = 2, 4
BRAILLE = 0x2800

Dots = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.float64]

# Unicode numbers the dots of a cell 1-2-3-7 down the left and 4-5-6-8 down the right.
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def strokes(tops: Rows, bottoms: Rows, dot_rows: int) -> Dots:
    """A vertical stroke per dot column, both ends included; no stroke where an end is NaN.

    tops, bottoms: dot rows, shape (dot columns,). Strokes that leave the raster are cut at its edge, and a stroke
    wholly outside becomes a dot at the edge it lies beyond.
    """
    drawn = ~(np.isnan(tops) | np.isnan(bottoms))
    first = _dot_row(np.where(drawn, tops, 0), dot_rows)
    last = _dot_row(np.where(drawn, bottoms, 0), dot_rows)
    rows = np.arange(dot_rows)[:, None]
    return np.asarray((rows >= first) & (rows <= last) & drawn)


def line(heights: Rows, dot_rows: int, thickness: int = 1) -> Dots:
    """A connected line with one height per dot column; NaN interrupts it.

    Each column is inked from its own height half-way to its neighbours', so steep stretches stay connected and flat
    ones stay `thickness` dots thick.
    """
    before, after = np.roll(heights, 1), np.roll(heights, -1)
    before[:1], after[-1:] = np.nan, np.nan
    half_before, half_after = (heights + before) / 2, (heights + after) / 2
    tops = np.fmin(heights, np.fmin(half_before, half_after))
    bottoms = np.fmax(heights, np.fmax(half_before, half_after))
    return strokes(tops, np.floor(bottoms) + thickness - 1, dot_rows)


def dashed(dots: Dots, period: int, inked: int) -> Dots:
    """Keep the first `inked` of every `period` dot columns."""
    return dots & (np.arange(dots.shape[1]) % period < inked)


def to_cells(dots: Dots) -> Cells:
    """The dot pattern of each cell, shape (rows, columns): 0 is blank, BRAILLE + pattern is its character."""
    patterns = np.zeros((dots.shape[0] // DOTS_DOWN, dots.shape[1] // DOTS_ACROSS), dtype=np.uint8)
    ink = dots.view(np.uint8)
    for down, bits in enumerate(_BITS):
        for across, bit in enumerate(bits):
            patterns |= ink[down::DOTS_DOWN, across::DOTS_ACROSS] * np.uint8(bit)
    return patterns


def _dot_row(heights: Rows, dot_rows: int) -> npt.NDArray[np.int64]:
    return np.clip(np.floor(heights), 0, dot_rows - 1).astype(np.int64)
