"""A lens: what the colours of a text mean, with a legend and a line of figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.tui.static_line import longest_fitting, show_line
from charrnn_tui.tui.textview.text_view import TextView

STEPS: Final = (1, 2, 3, 4, 5)
"""The text view's classes of five steps; its class 0 is dim, which not every terminal shows."""
LOW_TO_HIGH: Final = (7, 6, 1, 8, 9)
"""Its classes of a scale with two ends: two hues, underlined and bold, over the plain middle."""


@dataclass(frozen=True)
class Page:
    """What a lens looks at. selected, cursor: positions on the page, those of the prime included."""

    text: GeneratedText
    selected: tuple[int, int] | None
    cursor: int | None

    @property
    def examined(self) -> tuple[int, int]:
        """The selected part [start, end) of the written characters, or all of them."""
        if self.selected is None:
            return 0, len(self.text)
        start, end = (max(0, place - len(self.text.prime)) for place in self.selected)
        return start, min(end, len(self.text))

    @property
    def place(self) -> int:
        """Of the character under the cursor or, if none is shown, the last one; -1 on an empty page."""
        last = len(self.text.prime) + len(self.text) - 1
        return last if self.cursor is None else min(self.cursor, last)

    def character(self, place: int) -> str:
        """At a position on the page."""
        text, written = self.text, place - len(self.text.prime)
        return text.prime[place] if written < 0 else text.vocabulary.tokens[text.ids[written]]


def no_work(page: Page) -> None:
    """A lens that has to compute nothing beforehand."""


@dataclass(frozen=True)
class Lens:
    """about: a line for the menu. scale: labels of the legend with their classes of the text view, -1 for none.

    classes: of the characters [start, end) of a text with its prime; -1 for none. figures: lines for beside the legend,
    the shortest first. look: called with each page that is shown, before its figures, to compute what is not known yet.
    """

    name: str
    about: str
    scale: tuple[tuple[str, int], ...]
    classes: Callable[[GeneratedText, int, int], Sequence[int]]
    figures: Callable[[Page], Sequence[str]]
    look: Callable[[Page], None] = no_work


class _Figures(Static):
    """The longest of several lines that has room, also when there is more or less of it."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._lines: Sequence[str] = [""]

    def show(self, lines: Sequence[str]) -> None:
        self._lines = lines
        show_line(self, longest_fitting(lines, self.size.width))

    def on_resize(self) -> None:
        self.show(self._lines)


class LensLegend(Horizontal):
    """One row: the name and the scale of a lens, drawn by a text view of its own, and figures of the text."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = TextView(id="lens-scale", of_user=False)
        self.scale.can_focus = False
        self._figures = _Figures()

    def compose(self) -> ComposeResult:
        yield self.scale
        yield self._figures

    def show_lens(self, lens: Lens) -> None:
        """Show the scale of a lens."""
        parts = [(f"{lens.name} ", -1), *lens.scale]
        classes = [number for label, number in parts for _ in label]
        self.scale.colour_classes = lambda start, end: classes[start:end]
        self.scale.styles.width = len(classes) + 2
        self.scale.set_text("".join(label for label, _ in parts))

    def show_figures(self, lines: Sequence[str]) -> None:
        """Show the longest of the lines that has room."""
        self._figures.show(lines)
