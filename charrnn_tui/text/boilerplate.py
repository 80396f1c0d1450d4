"""What stands at the ends of a text and does not belong to it: licences, the notes of who published it."""

import re
from dataclasses import dataclass
from typing import Final

from charrnn_tui.text.corpus import Corpus

LOOKED_AT: Final = 60_000  # characters at each end; the licence of Project Gutenberg has 18,500
LEAST: Final = 4_000  # characters of a text that is looked at: a shorter one may be nothing but a licence
MOST_SHARE: Final = 0.25  # of a text, at each end: of a shorter one, less is looked at
NEAR: Final = 1_000  # characters from one paragraph of a licence to the next one, at most
LONGEST: Final = 3_000  # characters of such a paragraph: a text without blank lines is no licence
_BEGIN: Final = re.compile(r"^[* ]*(START OF TH(IS|E) PROJECT GUTENBERG|END\*?THE SMALL PRINT).*\n", re.I | re.M)
_BLANK: Final = re.compile(r"(?:[^\S\n]*\n)*")
_END: Final = re.compile(r"^[* ]*(END OF TH(IS|E) PROJECT GUTENBERG|End of (the )?Project Gutenberg)", re.I | re.M)
_SIGNS: Final = re.compile(
    r"Project Gutenberg|copyright (\(c\)|notice|holders?|\d{4})|\xa9|all rights reserved|permission is hereby granted"
    r"|licen[sc]ed under|under the terms of|ISBN[- :\d]|public domain|transcriber.s notes?|this e-?(book|text) "
    r"|creative commons|SPDX-|redistributions? (of|in)|without warrant(y|ies)|proofreading team",
    re.I,
)


@dataclass(frozen=True)
class Boilerplate:
    """Characters at the beginning and at the end of a text that look like a licence; 0 where none do.

    begins: the first line of the text without them, ends: the last one.
    """

    head: int = 0
    tail: int = 0
    begins: str = ""
    ends: str = ""

    def __bool__(self) -> bool:
        return bool(self.head or self.tail)


def find_boilerplate(corpus: Corpus) -> Boilerplate:
    """Look for licences at the ends of a text, by the marks of Project Gutenberg and words that only licences have."""
    if len(corpus) < LEAST:
        return Boilerplate()
    most = min(LOOKED_AT, int(len(corpus) * MOST_SHARE))
    decode = corpus.vocabulary.decode
    first, last = decode(corpus.ids[:most]), decode(corpus.ids[len(corpus) - most :])
    head, tail = _head(first), _tail(last)
    if not head and not tail:
        return Boilerplate()
    begins, ends = first[head:].strip().splitlines(), last[: len(last) - tail].strip().splitlines()
    return Boilerplate(head, tail, begins[0] if begins else "", ends[-1] if ends else "")


def _head(text: str) -> int:
    """The length of the licence at the beginning, the blank lines behind it included."""
    end = max((mark.end() for mark in _BEGIN.finditer(text)), default=0)
    for begin, until in _paragraphs(text):
        if begin - end > NEAR:
            break
        if begin >= end and _is_licence(text[begin:until]):
            end = until
    blank = _BLANK.match(text, end)
    return blank.end() if end and blank else 0


def _tail(text: str) -> int:
    """The length of the licence at the end, the blank lines before it included."""
    mark = _END.search(text)
    start = len(text) if mark is None else mark.start()
    for begin, until in reversed(_paragraphs(text)):
        if start - until > NEAR:
            break
        if until <= start and _is_licence(text[begin:until]):
            start = begin
    return len(text) - len(text[:start].rstrip()) - 1 if start < len(text) else 0


def _paragraphs(text: str) -> list[tuple[int, int]]:
    """Where what stands between blank lines begins and ends."""
    return [(match.start(), match.end()) for match in re.finditer(r"\S(?:.|\n(?!\s*\n))*", text)]


def _is_licence(paragraph: str) -> bool:
    return len(paragraph) <= LONGEST and _SIGNS.search(paragraph) is not None
