"""The last gate before the terminal: file names, messages and typed text may hold escape sequences too."""

import re

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# C0 and C1 controls, marks that turn the writing direction or join characters, line separators, lone surrogates
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class ControlFilter(LineFilter):
    """Takes unshowable characters out of every line of every widget; what had a width becomes a stand-in of that width.

    A text's own view shows them as visible signs instead (`visible`); no other widget needs to.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See LineFilter."""
        if not any(_UNSHOWABLE.search(segment.text) for segment in segments):
            return segments
        return [Segment(_UNSHOWABLE.sub(_stand_in, text), style, control) for text, style, control in segments]


def _stand_in(match: re.Match[str]) -> str:
    return "\N{REPLACEMENT CHARACTER}" * cell_len(match[0])
