"""Keeps escape sequences out of the terminal: file names, messages and typed text may contain some."""

import re

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# C0 and C1 controls, marks that turn the writing direction or join characters, line separators, lone surrogates
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class ControlFilter(LineFilter):
    """Replaces control characters in any line of any widget by as many replacement characters as they have cells.

    The text view shows such characters as visible signs instead (`visible`); no other widget needs to.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(_CONTROLS.search(segment.text) for segment in segments):
            return segments
        return [Segment(_CONTROLS.sub(_replacement, text), style, control) for text, style, control in segments]


def _replacement(match: re.Match[str]) -> str:
    return "\N{REPLACEMENT CHARACTER}" * cell_len(match[0])
