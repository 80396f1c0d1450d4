"""One sign for one character, where a character stands alone and white space would not be seen."""

from typing import Final

from charrnn_tui.tui.textview.visible import visible_char

_SIGNS: Final = {"\n": "⏎", "\t": "⇥", " ": "␣"}


def symbol_of(character: str) -> str:
    """1 or 2 cells, never white space, safe to send to a terminal."""
    sign = _SIGNS.get(character)
    if sign is None:
        sign = visible_char(character)
    return sign if sign.strip() else "␣"
