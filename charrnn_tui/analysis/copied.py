"""What of a text stands word for word in another one: is a model only copying what it was trained on?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.windows import find, windows
from charrnn_tui.text.vocabulary import Ids

LENGTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128)  # characters of a passage; a short one stands anywhere
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Passage:
    """Characters begin to end of the text that stand at `source` in the training text, too."""

    begin: int
    end: int
    source: int


def copied(texts: Sequence[Ids], training: Ids, tokens: int, length: int) -> list[NDArray[np.bool_]]:
    """Of each text which characters, (T,), are in a passage of at least `length` characters that the training has.

    Memory: 24 bytes a character of the training text; half a second a million.
    """
    there, covered = np.sort(windows(training, tokens, length)), []
    for text in texts:
        found = find(there, windows(text, tokens, length)) >= 0
        ends = np.zeros(len(text) + 1, np.int64)  # how many more passages begin than end
        ends[: len(found)] += found
        ends[length : length + len(found)] -= found
        covered.append(np.cumsum(ends)[:-1] > 0)
    return covered


def passages(text: Ids, training: Ids, tokens: int, length: int) -> list[Passage]:
    """The passages of at least `length` characters, each as long as it goes on, the longest first.

    Of several places in the training text one is named. A passage that begins within another one is not listed.
    """
    there = windows(training, tokens, length)
    order = np.argsort(there, kind="stable")
    place = find(there[order], windows(text, tokens, length))
    listed, done = list[Passage](), 0
    for begin in np.flatnonzero(place >= 0).tolist():
        if begin < done:
            continue
        source = int(order[place[begin]])
        same = np.asarray(text[begin : begin + len(training) - source])
        differ = np.flatnonzero(same != training[source : source + len(same)])
        done = begin + (int(differ[0]) if len(differ) else len(same))
        listed.append(Passage(begin, done, source))
    return sorted(listed, key=lambda passage: passage.begin - passage.end)


def new_words(text: str, training: str) -> tuple[float, list[str]]:
    """The share of the text's words, at least two letters, that the other one has nowhere, and these, each once."""
    known = {word.casefold() for word in _WORD.findall(training)}
    words = [word for word in _WORD.findall(text) if len(word) > 1]
    new = [word for word in words if word.casefold() not in known]
    return (len(new) / len(words) if words else 0.0), list(dict.fromkeys(new))
