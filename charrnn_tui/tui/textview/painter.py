"""How a row of wrapped text is drawn: a stand-in for each character, and what lies over it."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, clamp
from textual.selection import Selection
from textual.widget import Widget

from charrnn_tui.playground.branches import Mark
from charrnn_tui.text.byte_text import joined_at
from charrnn_tui.tui.textview.visible import visible
from charrnn_tui.tui.textview.wrapping import WrappedText

Look = tuple[str, ...]  # component classes: the ground, then what lies over it
ColourClasses = Callable[[int, int], Sequence[int]]

PLAIN: Final = ""
PRIME: Final = "text-view--prime"
MARK: Final = "text-view--mark"
CURSOR: Final = "text-view--cursor"
BUSY: Final = "text-view--busy"
PLACEHOLDER: Final = "text-view--placeholder"
CLASSES: Final = tuple(f"text-view--class-{number}" for number in range(10))  # 0 to 5 of one scale, 6 to 9 of another
COMPONENTS: Final = (PRIME, MARK, CURSOR, BUSY, PLACEHOLDER, *CLASSES)
SELECTION: Final = "screen--selection"  # Textual's, a component of the screen
BLOCK: Final = "█"  # stands still: blinking would cost bandwidth


class Palette:
    """The Rich styles of a widget's component classes, kept until the widget's styles change."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[Look, Style] = {}

    def clear(self) -> None:
        self._styles.clear()

    def style(self, look: Look) -> Style:
        if look not in self._styles:
            ground, *overlays = look
            style = self._widget.get_component_rich_style(ground) if ground else self._widget.rich_style
            for overlay in overlays:
                if overlay == SELECTION:
                    style += self._widget.screen.get_component_rich_style(overlay)
                else:
                    style += self._widget.get_component_rich_style(overlay, partial=True)
            self._styles[look] = style
        return self._styles[look]


@dataclass(frozen=True)
class Decoration:
    """What is known about the characters besides themselves."""

    prime_length: int
    colour_classes: ColourClasses | None
    marks: Sequence[Mark]
    """In the order of the text."""
    cursor: int | None = None
    selection: Selection | None = None


def paint_row(rows: WrappedText, row: int, decoration: Decoration, palette: Palette) -> list[Segment]:
    """The segments of one row, as wide as its characters, without an empty one."""
    start, end = rows.row_span(row)
    glyphs = _glyphs(rows.text(start, end))
    looks = _grounds(start, end, decoration)
    for index, overlay in _overlays(start, end, decoration):
        while not glyphs[index]:  # a byte of a character that is drawn at its first one
            index -= 1
        looks[index] = (*looks[index], overlay)
    if decoration.selection is not None and (span := decoration.selection.get_span(row)) is not None:
        for index in _covered(glyphs, span):
            looks[index] = (*looks[index], SELECTION)
    runs = groupby(zip(looks, glyphs, strict=True), key=lambda pair: pair[0])
    drawn = (("".join(glyph for _, glyph in run), look) for look, run in runs)
    return [Segment(text, palette.style(look)) for text, look in drawn if text]


def position_drawn_at(rows: WrappedText, offset: Offset) -> int:
    """The character at an offset as Textual's selections count: rows and, in a row, code points drawn."""
    start, end = rows.row_span(min(offset.y, rows.row_count - 1))
    drawn = 0
    for position, glyph in enumerate(_glyphs(rows.text(start, end)), start):
        if drawn >= offset.x and glyph:
            return position
        drawn += len(glyph)
    return end


def offset_of(rows: WrappedText, position: int) -> Offset:
    """Where a character is drawn, as Textual's selections count; the length of the text is behind the last one."""
    row = rows.locate(position).row
    start, end = rows.row_span(row)
    return Offset(sum(map(len, _glyphs(rows.text(start, end))[: position - start])), row)


def _glyphs(text: str) -> list[str]:
    # A line feed keeps a blank cell, so that a cursor can stand on it.
    glyphs = [" " if character == "\n" else visible(character) for character in text]
    for start, end, character in joined_at(text):
        glyphs[start:end] = [visible(character), *[""] * (end - start - 1)]
    return glyphs


def _grounds(start: int, end: int, decoration: Decoration) -> list[Look]:
    primed = clamp(decoration.prime_length - start, 0, end - start)
    grounds: list[Look] = [(PRIME if index < primed else PLAIN,) for index in range(end - start)]
    if decoration.colour_classes is not None and start < end:
        for index, number in enumerate(decoration.colour_classes(start, end)[: end - start]):
            if number >= 0:
                grounds[index] = (CLASSES[min(number, len(CLASSES) - 1)],)
    return grounds


def _overlays(start: int, end: int, decoration: Decoration) -> Iterator[tuple[int, str]]:
    marks = decoration.marks
    for position in {mark.position for mark in marks[bisect_left(marks, (start,)) : bisect_left(marks, (end,))]}:
        yield position - start, MARK
    if decoration.cursor is not None and start <= decoration.cursor < end:
        yield decoration.cursor - start, CURSOR


def _covered(glyphs: list[str], span: tuple[int, int]) -> Iterator[int]:
    """Indices of the glyphs that begin inside a span of code points; an end of -1 is the row's."""
    first, last = span
    drawn = 0
    for index, glyph in enumerate(glyphs):
        if first <= drawn and (last == -1 or drawn < last):
            yield index
        drawn += len(glyph)
