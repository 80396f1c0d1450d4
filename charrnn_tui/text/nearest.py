"""Finds the characters of an alphabet that are nearest to those it does not have."""

import unicodedata
from typing import Final, Literal

from charrnn_tui.text.vocabulary import Vocabulary

# A character may be replaced by any of its row, the first ones preferred. Unicode decompositions are not repeated here.
_FAMILIES: Final = (
    "'\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}‚‛′ʼ‹›\N{ACUTE ACCENT}`",
    '"\N{RIGHT DOUBLE QUOTATION MARK}\N{LEFT DOUBLE QUOTATION MARK}„‟″»«',
    "-\N{EN DASH}\N{EM DASH}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{HORIZONTAL BAR}\N{MINUS SIGN}~",
    ".…·",
    "*•‣∗",
    "/⁄∕\\|",
    "([{<⟨〈",
    ")]}>⟩〉",
    "?¿",
    "!¡",
    "$€£¥",
    "x×",
    " \t",
    "\n\r\v\f\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR} ",
)
# Letters without a Unicode decomposition.
_LETTERS: Final = str.maketrans("æœøđðłħıŋþÆŒØĐÐŁĦŊÞ", "aooddlhintAOODDLHNT")

_FAMILY: Final[dict[str, str]] = {member: family for family in reversed(_FAMILIES) for member in family}


FORMS: Final = {"NFC": "composed letters (NFC)", "NFD": "decomposed letters (NFD)"}


def in_known_form(text: str, vocabulary: Vocabulary) -> tuple[str, str]:
    """The text in the Unicode form, composed or decomposed, in which most of it is known, and the name of that form.

    The text as it is, and "", where neither form makes more of it known.
    """
    if vocabulary.of_bytes:
        return text, ""
    best, name, unknown = text, "", _unknown(text, vocabulary)
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    for form in forms if unknown else ():
        converted = unicodedata.normalize(form, text)
        still = _unknown(converted, vocabulary)
        if still < unknown:
            best, name, unknown = converted, FORMS[form], still
    return best, name


def _unknown(text: str, vocabulary: Vocabulary) -> int:
    return len(text) - len(vocabulary.encode_known(text))


class NearestKnown:
    """Finds the nearest characters of one alphabet.

    In this order: another sign with the same use (quotation marks, dashes, white space, brackets), the same letter in
    another case, its base letter (Unicode's compatibility decomposition without marks: é, ﬁ, full-width forms, digits
    of other scripts), and the base letter in another case.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary, self._known = vocabulary, vocabulary.index
        self._by_base: dict[str, str] = {}
        # Of several tokens with the same base: the base itself, else the first.
        for token in sorted(vocabulary.tokens, key=lambda token: token != _base(token)):
            self._by_base.setdefault(_base(token), token)

    def of(self, character: str) -> str | None:
        """The nearest character of the alphabet, itself if it is one of them; None if there is none."""
        if character in self._known:
            return character
        base = _base(character)
        candidates: list[str] = [*_FAMILY.get(character, ""), *_cases(character), *_FAMILY.get(base, "")]
        for candidate in candidates:
            if candidate in self._known:
                return candidate
        return next((self._by_base[key] for key in (base, *_cases(base)) if key in self._by_base), None)

    def replaced(self, text: str) -> str:
        """The text in the Unicode form of the alphabet, and what is still unknown replaced by its nearest, if any."""
        text, _ = in_known_form(text, self.vocabulary)
        unknown = set() if self.vocabulary.of_bytes else set(text) - self._known.keys()
        return text.translate({ord(char): self.of(char) or char for char in unknown})


def _cases(character: str) -> tuple[str, str, str]:
    """In lower, folded and upper case, the first character of each: ß is folded to ss."""
    return character.lower()[:1], character.casefold()[:1], character.upper()[:1]


def _base(character: str) -> str:
    """The first character of its decomposition; itself for a lone accent, which decomposes into a space and a mark."""
    if (digit := unicodedata.digit(character, None)) is not None:
        return str(digit)
    base = unicodedata.normalize("NFKD", character)[:1].translate(_LETTERS)
    return character if base == " " and not character.isspace() else base
