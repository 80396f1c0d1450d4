"""What a model wrote, made safe for a terminal that text is simply printed to."""

import unicodedata

from charrnn_tui.tui.textview.visible import visible_char

_HARMLESS = frozenset(
    "\n\t\u200c\u200d"
)  # line feeds and tabs lay out text; joiners are part of how scripts are spelled
_STEERING = frozenset(
    ["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"]
)  # controls, direction marks, surrogates, no characters


def for_terminal(text: str) -> str:
    """The text with a stand-in for each character that would steer the terminal instead of being shown.

    Everything else stays as it is, combining marks too: unlike in the app, no place of the screen belongs to a
    character here.
    """
    return "".join(visible_char(char) if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    return unicodedata.category(char) in _STEERING and char not in _HARMLESS
