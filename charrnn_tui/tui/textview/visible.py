"""The one place where characters become something a terminal may be sent.

A model writes any character it has seen: escape sequences out of logs, direction marks, halves of surrogate pairs.
Sent as they are, they would move the cursor, turn lines around or glue themselves to their neighbours. Here each gets
a stand-in of known width, so that every character of the model keeps a place of its own on the screen.
"""

import unicodedata
from typing import Final

from rich.cells import cell_len

TAB_CELLS: Final = 4  # a fixed run instead of tab stops: the width must not depend on the column
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"  # nothing a terminal could show: C1, surrogates, private, unassigned
INVISIBLE: Final = "\N{MIDDLE DOT}"  # meant to be there and not to be seen: direction marks, joiners, soft hyphens
MARK_BASE: Final = "\N{DOTTED CIRCLE}"  # what a combining mark sits on, as in the Unicode charts

# Shown as nothing, or changing the look or width of a neighbour, though their category says letter, mark or symbol.
_IGNORABLE: Final = frozenset(
    [
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),  # joiners and fillers
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),  # variation selectors
        *range(0x1F3FB, 0x1F400),  # skin tones
    ]
)
_REGIONAL_INDICATORS: Final = range(0x1F1E6, 0x1F200)  # two in a row would fuse into a flag
_CIRCLED_A: Final = 0x24B6
_SYMBOLS: Final = {"\n": "⏎", "\t": "⇥", " ": "␣"}


def _stand_in(code: int) -> str:
    character = chr(code)
    category = unicodedata.category(character)
    if code == 0x09:
        return " " * TAB_CELLS
    if code == 0x0A:
        return "\N{SYMBOL FOR NEWLINE}"
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if category in ("Cc", "Cs", "Co", "Cn"):
        return REPLACEMENT
    if category in ("Cf", "Zl", "Zp") or code in _IGNORABLE:
        return INVISIBLE
    if category == "Zs":
        return " " * cell_len(character)
    if code in _REGIONAL_INDICATORS:
        return chr(_CIRCLED_A + code - _REGIONAL_INDICATORS.start)
    if category.startswith("M"):
        # Only narrow non-spacing marks take no cell in every terminal's own table.
        narrow = category == "Mn" and unicodedata.east_asian_width(character) not in ("W", "F")
        return MARK_BASE + character if narrow else MARK_BASE
    return character if cell_len(character) > 0 else MARK_BASE


class _StandIns(dict[int, str]):
    """Code point to stand-in, worked out at the first use; `str.translate` reads it as its table."""

    def __missing__(self, code: int) -> str:
        self[code] = stand_in = _stand_in(code)
        return stand_in


_STAND_INS: Final = _StandIns()


def visible(text: str) -> str:
    """The text with every character replaced by its stand-in; safe to send to a terminal.

    A stand-in is 1, 2 or `TAB_CELLS` cells wide, in 1 or more code points: `␤` for a line feed, a run of spaces for a
    tab, plain spaces for any other white space.
    """
    return text.translate(_STAND_INS)


def symbol_of(character: str) -> str:
    """The same for a character that stands alone: 1 or 2 cells, white space as a symbol."""
    if "\udc80" <= character <= "\udcff":
        return f"{ord(character) - 0xDC00:02X}"  # it stands for a byte
    sign = _SYMBOLS.get(character) or visible(character)
    return sign if sign.strip() else "␣"
