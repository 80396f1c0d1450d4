"""Escape sequences that make a terminal notify its user; terminals ignore those that they do not know."""

from typing import Final

BELL: Final = "\x07"
PUSH_TITLE, POP_TITLE = "\x1b[22;2t", "\x1b[23;2t"  # xterm's stack of titles
_MOST_CHARACTERS: Final = 120


def title_sequence(title: str) -> str:
    """Sets the terminal's title, without characters that would end it early or control the terminal."""
    return f"\x1b]2;{_safe(title)}\x07"


def notice_sequences(title: str, message: str) -> str:
    """Rings, sets the title, and asks for a desktop notification: by OSC 9 (iTerm2), and by OSC 777 (urxvt, foot)."""
    fields = _safe(title).replace(";", ","), _safe(message).replace(";", ",")
    desktop = f"\x1b]9;{fields[0]}: {fields[1]}\x07\x1b]777;notify;{fields[0]};{fields[1]}\x07"
    return BELL + title_sequence(f"{title}: {message}") + desktop


def _safe(text: str) -> str:
    """Without controls, direction marks and surrogates, none of which is printable."""
    return "".join(filter(str.isprintable, text))[:_MOST_CHARACTERS]
