"""ASCII characters for what a terminal cannot show: our own signs, and characters that its encoding lacks."""

import unicodedata
from collections.abc import Mapping
from typing import Final

# Signs that we draw and that texts hardly contain. Each becomes one character, so that the columns stay.
_SIGNS: Final = {
    pair[0]: pair[1]
    for row in (
        "█# ▉# ▊= ▋= ▌= ▍- ▎- ▏| ▐| ▇% ▆* ▅+ ▄= ▃- ▂. ▁_ ▀' ▔- ▕| ░. ▒: ▓%",
        "●@ ○o ◆& ★* ✶* ✓+ ✗x ■# □o ▸> ▾v ▼v ▲! ▶> ◀< ←< ↑^ →> ↓v ↻R ‹< ›>",
        "⏎$ ␤$ ⇥> ␉> ␣_ ␡? \ufffd? ◌o",
    )
    for pair in row.split()
}
# Characters of texts as well, which we use as signs.
_PUNCTUATION: Final = {
    "…": ".",
    "·": "|",
    "–": "-",
    "—": "-",
    "×": "x",
    "±": "+",
    "÷": "/",
    "≥": ">",
    "≤": "<",
    "≠": "!",
    "≈": "~",
    "•": "+",
    "‖": "=",
    "⊘": "!",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": "<",
    "»": ">",
}


def draws_ascii(environment: Mapping[str, str], encoding: str) -> bool:
    """Whether only ASCII is drawn if nobody says else: the locale is not UTF-8, or this is the Linux console.

    The console's fonts lack braille and most signs. encoding: the locale's.
    """
    return not is_utf8(encoding) or environment.get("TERM") == "linux"


def is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("-", "").replace("_", "") == "utf8"


def signs_in_ascii(text: str) -> str:
    """The text with its box lines, blocks, braille, arrows and marks in ASCII, one character for one; letters stay."""
    return text if text.isascii() else text.translate(_IN_TEXTS)


def in_ascii(text: str) -> str:
    """The same for words of ours: punctuation such as `·`, `…` and `×` becomes ASCII, too."""
    return text if text.isascii() else text.translate(_IN_OUR_WORDS)


def encodable(text: str, encoding: str) -> str:
    """The text with something similar, or `?`, for each character that this encoding lacks."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(char if _fits(char, encoding) else _similar(char) for char in text)
    return text


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _similar(character: str) -> str:
    sign = in_ascii(character)
    base = unicodedata.normalize("NFKD", sign)[:1]
    return base if base.isascii() and base.isprintable() and base.strip() else "?"


class _Signs(dict[int, str]):
    """Code point to ASCII, worked out at the first use; `str.translate` reads it as its table."""

    def __init__(self, known: Mapping[str, str]) -> None:
        super().__init__({ord(sign): ascii for sign, ascii in known.items()})

    def __missing__(self, code: int) -> str:
        self[code] = sign = _drawn(code)
        return sign


def _drawn(code: int) -> str:
    """A line, block, braille pattern, arrow or other sign in ASCII; any other character as it is."""
    if 0x2500 <= code < 0x2580:
        return _line(unicodedata.name(chr(code)))
    if 0x2800 <= code < 0x2900:
        return _braille(code - 0x2800)
    if 0x24B6 <= code < 0x24D0:  # circled letters
        return chr(ord("A") + code - 0x24B6)
    # Arrows, control pictures, blocks and shapes, dingbats: what of them is not in _SIGNS.
    if any(code in each for each in (range(0x2190, 0x2200), range(0x2400, 0x2440), range(0x2580, 0x2600))):
        return "?" if code < 0x2580 else "#"
    return chr(code)


def _line(name: str) -> str:
    """A box drawing character by its name, such as BOX DRAWINGS LIGHT DOWN AND RIGHT."""
    words = {*name.split()}
    across, down = bool(words & {"HORIZONTAL", "LEFT", "RIGHT"}), bool(words & {"VERTICAL", "UP", "DOWN"})
    if across == down:
        return "+"
    if across:
        return "=" if "HEAVY" in name and "DASH" not in name else "-"
    return ":" if "DASH" in name else "|"


def _braille(dots: int) -> str:
    """By the rows, of four, that have a dot."""
    rows = [bool(dots & mask) for mask in (0x09, 0x12, 0x24, 0xC0)]
    top, bottom = rows[0] or rows[1], rows[2] or rows[3]
    if not (top or bottom):
        return " "
    if rows[0] and rows[3]:
        return "|"
    if top and bottom:
        return ":" if rows[0] or rows[3] else "-"
    return ("'" if rows[0] else "-") if top else ("." if not rows[3] else "_")


_IN_TEXTS: Final = _Signs(_SIGNS)
_IN_OUR_WORDS: Final = _Signs(_SIGNS | _PUNCTUATION)
