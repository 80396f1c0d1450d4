"""What of a text stands word for word in another one: is a model only copying what it was trained on?"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.suffix_array import Places
from charrnn_tui.analysis.text_index import TextIndex
from charrnn_tui.text.vocabulary import Ids

LENGTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128)  # characters of a passage; a short one stands anywhere
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Passage:
    """Characters begin to end of the text that stand at `source` in the training text, too."""

    begin: int
    end: int
    source: int


def covered(lengths: NDArray[np.int32], least: int) -> NDArray[np.bool_]:
    """Which characters of a text are in a passage of at least `least` characters that the training text has, (T,).

    lengths: of the longest match from each character on, (T,), as `TextIndex.longest_match` returns them; it must have
    looked for `least` characters.
    """
    places = np.arange(len(lengths))
    reached: NDArray[np.bool_] = np.maximum.accumulate(np.where(lengths >= least, places + lengths, 0)) > places
    return reached


def passages(text: Ids, training: Ids, matches: tuple[NDArray[np.int32], Places], least: int) -> list[Passage]:
    """The passages of at least `least` characters, each as long as it goes on, the longest first.

    matches: the lengths and sources of `TextIndex.longest_match`. Of several places in the training text one is named.
    A passage that begins within another one is not listed.
    """
    lengths, sources = matches
    listed, done = list[Passage](), 0
    for begin in np.flatnonzero(lengths >= least).tolist():
        if begin >= done:
            source = int(sources[begin])
            done = begin + _in_common(text[begin:], training[source:])
            listed.append(Passage(begin, done, source))
    return sorted(listed, key=lambda passage: passage.begin - passage.end)


def repeats(index: TextIndex, least: int, check: Callable[[], None] = lambda: None) -> list[Passage]:
    """Passages of at least `least` characters that the indexed text has before, too, the longest first.

    source: the first place of its beginning; the passage ends where the two would overlap. A passage that begins within
    another one is not listed. check: called now and then, to give up the work.
    """
    shared = index.shared_with_next(least, check) >= least
    starts = np.flatnonzero(np.append(True, ~shared)[: len(index.suffixes)])  # of groups that begin alike
    first = np.empty(len(index.suffixes), np.int32)  # the first place that begins as a place does
    if len(first):
        first[index.suffixes] = np.repeat(
            np.minimum.reduceat(index.suffixes, starts), np.diff(starts, append=len(first))
        )
    listed, done, ids = list[Passage](), 0, index.ids
    for begin in np.flatnonzero(np.arange(len(first)) - first >= least).tolist():
        if begin >= done:
            source = int(first[begin])
            done = begin + _in_common(ids[begin : begin + begin - source], ids[source:])
            listed.append(Passage(begin, done, source))
    return sorted(listed, key=lambda passage: passage.begin - passage.end)


def _in_common(first: Ids, second: Ids) -> int:
    """How many characters two texts begin with alike."""
    most, done, size = min(len(first), len(second)), 0, 256
    while done < most:
        differ = np.flatnonzero(first[done : min(most, done + size)] != second[done : min(most, done + size)])
        if len(differ):
            return done + int(differ[0])
        done, size = done + size, 2 * size
    return most


def new_words(text: str, training: str) -> tuple[float, list[str]]:
    """The share of the text's words, at least two letters, that the other one has nowhere, and these, each once."""
    known = {word.casefold() for word in _WORD.findall(training)}
    words = [word for word in _WORD.findall(text) if len(word) > 1]
    new = [word for word in words if word.casefold() not in known]
    return (len(new) / len(words) if words else 0.0), list(dict.fromkeys(new))
