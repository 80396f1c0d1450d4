"""Draws the app in ASCII, or in what the terminal's encoding has."""

from collections.abc import Callable, Sequence
from functools import cache, partial

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from charrnn_tui.run.ascii import encodable, in_ascii, is_utf8, signs_in_ascii


class AsciiFilter(LineFilter):
    """Replaces signs in any line of any widget by as many ASCII characters as they have cells."""

    def __init__(self, encoding: str, *, of_text: bool = False) -> None:
        """encoding: the terminal's. of_text: for a widget that shows a text of the user's, whose letters stay."""
        super().__init__()
        self._encoding = encoding
        self._translate: Callable[[str], str] = signs_in_ascii if of_text else in_ascii
        self._encodable = cache(partial(_encodable, encoding))

    @property
    def for_texts(self) -> "AsciiFilter":
        """The filter of widgets that show a text of the user's."""
        return _filter_of_texts(self._encoding)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isascii() for segment in segments):
            return segments
        return [Segment(self._in_ascii(text), style, control) for text, style, control in segments]

    def _in_ascii(self, text: str) -> str:
        text = self._translate(text)
        if text.isascii() or is_utf8(self._encoding):
            return text
        return "".join(map(self._encodable, text))


def filters_of_texts(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """The filters for a widget that shows a text of the user's."""
    return [each.for_texts if isinstance(each, AsciiFilter) else each for each in filters]


@cache
def _filter_of_texts(encoding: str) -> AsciiFilter:
    """One for each encoding: Textual stores filtered lines by the filter."""
    return AsciiFilter(encoding, of_text=True)


def _encodable(encoding: str, character: str) -> str:
    """In as many cells."""
    return encodable(character, encoding).ljust(cell_len(character), "?") if cell_len(character) else ""
