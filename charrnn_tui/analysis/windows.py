"""All windows of a text, as numbers that are equal where the windows are: to find and count passages in a text.

A window's number is a polynomial in _BASE over random numbers of its characters, modulo 2^64 (Karp & Rabin 1987). Two
different windows among some millions have the same number with a probability of one in a million.
"""

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.text.vocabulary import Ids

Numbers = NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15


def character_numbers(ids: Ids, tokens: int) -> Numbers:
    """The numbers of all windows of one character, (T,); ids: (T,), of an alphabet of so many tokens."""
    numbers: Numbers = np.random.default_rng(0).integers(1 << 64, size=tokens, dtype=np.uint64)[np.asarray(ids)]
    return numbers


def longer(first: Numbers, second: Numbers, second_length: int) -> Numbers:
    """The numbers of windows that begin as `first` and continue as `second`, windows of `second_length` characters."""
    return first * np.uint64(pow(_BASE, second_length, 1 << 64)) + second


def find(numbers: Numbers, wanted: Numbers) -> NDArray[np.int64]:
    """The index of each wanted number in the sorted ones, -1 where it is missing."""
    if not len(numbers):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
    return np.where(numbers[place] == wanted, place, -1)
