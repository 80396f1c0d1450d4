"""For a character that a model does not know, the one of its alphabet that comes nearest."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from charrnn_tui.text.vocabulary import Vocabulary

# Each stands for every other of its row, the first ones preferred. Unicode's own decompositions are not repeated here.
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
# Letters that Unicode takes for letters of their own.
_LETTERS: Final = str.maketrans("æœøđðłħıŋþÆŒØĐÐŁĦŊÞ", "aooddlhintAOODDLHNT")

_FAMILY: Final[dict[str, str]] = {member: family for family in reversed(_FAMILIES) for member in family}


class NearestKnown:
    """The nearest characters of one alphabet.

    Nearest is, in this order: another sign for the same thing (quotation marks, dashes, white space, brackets), the
    same letter in another case, its base letter (Unicode's compatibility decomposition without marks: é, ﬁ, full-width
    forms, digits of other scripts), and the base letter in another case.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._known = vocabulary.index
        self._found: dict[str, str | None] = {}
        self._by_base: dict[str, str] = {}
        # Of several tokens with one base, the base itself, or else the first one.
        for token in sorted(vocabulary.tokens, key=lambda token: token != _base(token)):
            self._by_base.setdefault(_base(token), token)

    def of(self, character: str) -> str | None:
        """A character of the alphabet, itself where it is one; None where nothing in it comes near."""
        if character in self._known:
            return character
        if character not in self._found:
            self._found[character] = self._find(character)
        return self._found[character]

    def replaced(self, text: str) -> str:
        """The text, as long as before, with the nearest in place of what is unknown; what nothing is near to stays."""
        strangers = set(text) - self._known.keys()
        return text.translate({ord(stranger): self.of(stranger) or stranger for stranger in strangers})

    def _find(self, character: str) -> str | None:
        base = _base(character)
        candidates: list[str] = [*_FAMILY.get(character, ""), *_cases(character), *_FAMILY.get(base, "")]
        for candidate in candidates:
            if candidate in self._known:
                return candidate
        return next((self._by_base[key] for key in (base, *_cases(base)) if key in self._by_base), None)


def _cases(character: str) -> tuple[str, str, str]:
    """In lower, folded and upper case, the first character of each: ß is folded to ss."""
    return character.lower()[:1], character.casefold()[:1], character.upper()[:1]


def _base(character: str) -> str:
    """The first character of its decomposition; itself where that is only the space which a lone accent stands on."""
    if (digit := unicodedata.digit(character, None)) is not None:
        return str(digit)
    base = unicodedata.normalize("NFKD", character)[:1].translate(_LETTERS)
    return character if base == " " and not character.isspace() else base
