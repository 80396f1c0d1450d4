"""Any text as a document of Textual's TextArea and back.

TextArea breaks lines wherever `str.splitlines` does, and draws characters as they are. Here every character but the
line feed that a terminal must not be sent, or that has no cell of its own, is a private-use character in the document,
one cell wide; `signs` gives what is drawn for it.
"""

from typing import Final

from charrnn_tui.tui.textview.visible import symbol_of, visible

_FIRST: Final = 0xF0000  # of the two private planes
_MOST: Final = 0x110000 - _FIRST
LINE_BREAK: Final = chr(_FIRST)
"""Drawn for a line feed; not part of a document's text."""

_RAW: Final = {_FIRST: "\n"}
_SIGNS: Final = {_FIRST: symbol_of("\n")}


class _Stored(dict[int, str]):
    """Code point to its character in documents; numbered as they come, since most code points are unassigned."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if visible(character) != character:
            private = _FIRST + len(_RAW)
            if len(_RAW) == _MOST:
                return "\N{REPLACEMENT CHARACTER}"
            _RAW[private], _SIGNS[private] = character, symbol_of(character)
            character = chr(private)
        self[code] = character
        return character


_STORED: Final = _Stored({ord("\n"): "\n"})


def stored(text: str) -> str:
    """The text as a document holds it, of the same length; not of what is stored already."""
    return text.translate(_STORED)


def raw(document_text: str) -> str:
    """The text that was stored."""
    return document_text.translate(_RAW)


def signs(document_text: str) -> str:
    """What to draw for a piece of a document: as many cells, safe to send to a terminal."""
    return document_text.translate(_SIGNS)
