"""Properties of the characters of a text that a unit of a model might follow."""

import re
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.bool_]  # (T,), of each character

_QUOTES = ('"', '"'), ("“", "”"), ("«", "»"), ("„", "“")
_LONGEST = 1000  # characters of a quotation; what is open for longer was never closed


def in_quotes(text: str) -> Labels:
    """Whether a quotation is open behind the character: from its first mark to the character before its last one.

    An empty line closes it, as in print. An apostrophe is no mark.
    """
    labels = np.zeros(len(text), np.bool_)
    for match, _ in _quotations(text):
        labels[match.start() : match.end(1)] = True
    return labels


def quotations(text: str) -> list[tuple[int, str]]:
    """Where each quotation has its first mark, ascending, and the mark that closes it."""
    return sorted((match.start(), end) for match, end in _quotations(text))


def _quotations(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Matches from the first mark to the last one or an empty line, group 1 what is between; the last mark."""
    for begin, end in _QUOTES:
        for match in re.finditer(rf"{begin}([^{begin}{end}]*?)(?:{end}|\n\s*\n)", text):
            if len(match[0]) <= _LONGEST:
                yield match, end


def in_brackets(text: str) -> Labels:
    """Whether a round, square or curly bracket is open behind the character; an empty line closes all."""
    labels = np.zeros(len(text), np.bool_)
    depth = begin = 0
    for match in re.finditer(r"[(\[{)\]}]|\n\n", text):
        if depth:
            labels[begin : match.start()] = True
        begin = match.start()
        depth = 0 if match[0] == "\n\n" else depth + 1 if match[0] in "([{" else max(0, depth - 1)
    if depth:
        labels[begin:] = True
    return labels


def sentence_ends(text: str) -> Labels:
    """Whether the character is the last of a sentence: `.`, `!` or `?`, before a space, a mark or the line's end."""
    return _spans(text, r"[.!?](?=[\s\"”’')\]]|$)")


def in_word(text: str) -> Labels:
    """Whether the character and the next one are in the same word."""
    return _spans(text, r"\w(?=\w)")


def capital_next(text: str) -> Labels:
    """Whether the next character is a capital letter."""
    alphabet, places = np.unique(_codes(text), return_inverse=True)
    capitals = np.array([chr(code).isupper() for code in alphabet], np.bool_)[places]
    return np.append(capitals[1:], np.zeros(min(1, len(text)), np.bool_))


def indentation(text: str) -> Labels:
    """Whether the character is one of the blanks that a line begins with."""
    return _spans(text, r"(?m)^[ \t]+")


def late_in_line(text: str) -> Labels:
    """Whether more than half of the characters stand further to the left in their lines."""
    line_feeds, places = _codes(text) == ord("\n"), np.arange(len(text))
    after = np.append(False, line_feeds)[: len(text)]  # the first characters of lines
    columns = places - np.maximum.accumulate(np.where(after, places, 0))
    return columns > (np.median(columns) if len(text) else 0)


PROBES: dict[str, Callable[[str], Labels]] = {
    "quotes": in_quotes,
    "brackets": in_brackets,
    "sentence-end": sentence_ends,
    "word": in_word,
    "capital-next": capital_next,
    "indentation": indentation,
    "late-in-line": late_in_line,
}


def labels_of(probe: str, text: str) -> Labels:
    """Which characters have a property of `PROBES`, are in a match of `/PATTERN/`, a regular expression of `re`, or
    in the span FROM-TO, as `span_of` reads it.

    Raises ValueError, one line, for another name, for a pattern that is none, and for a span that begins behind the
    text.
    """
    if probe in PROBES:
        return PROBES[probe](text)
    if (span := span_of(probe)) is not None:
        labels = np.zeros(len(text), np.bool_)
        labels[slice(*span)] = True
        if text and not labels.any():
            raise ValueError(f"{probe}: the text has {len(text):,} characters")
        return labels
    if len(probe) < 3 or not (probe.startswith("/") and probe.endswith("/")):
        known = f"{', '.join(PROBES)}, nor a regular expression such as /[0-9]+/, nor a span such as 120-180"
        raise ValueError(f"{probe!r} is not one of {known}")
    try:
        return _spans(text, probe[1:-1])
    except re.error as error:
        raise ValueError(f"{probe}: no regular expression: {error}") from None


def span_of(probe: str) -> tuple[int, int] | None:
    """The characters [start, end) of a span FROM-TO, which counts them from 1, both included; None if it is none."""
    match = re.fullmatch(r"([0-9]{1,15})-([0-9]{1,15})", probe, re.ASCII)
    if match is None:
        return None
    start, end = int(match[1]) - 1, int(match[2])
    return (start, end) if 0 <= start < end else None


def _spans(text: str, pattern: str) -> Labels:
    """The characters of all matches."""
    labels = np.zeros(len(text), np.bool_)
    for match in re.finditer(pattern, text):
        labels[match.start() : match.end()] = True
    return labels


def _codes(text: str) -> NDArray[np.uint32]:
    """The characters' numbers in Unicode, (T,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
