"""One side of a comparison: its model, text and notes, and the place of the model in its training."""

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from charrnn_tui.playground.branches import Mark
from charrnn_tui.playground.comparison import ComparisonText, Side
from charrnn_tui.tui.compare.compared_text import ComparedText
from charrnn_tui.tui.compare.training_slider import TrainingSlider
from charrnn_tui.tui.static_line import show_line
from charrnn_tui.tui.textview.visible import symbol_of

_MOST_NAMED: Final = 6


class SidePane(Vertical):
    """Draws a side."""

    def __init__(self, side: Side, on_scroll: Callable[[int], None]) -> None:
        """on_scroll: called with the row to which the reader has scrolled the text."""
        super().__init__(id=f"side-{side.letter.lower()}")
        self.side = side
        self.view = ComparedText(on_scroll)
        self.slider = TrainingSlider(side)
        self._title = Static("", classes="side-pane--title", markup=False)
        self._note = Static("", classes="side-pane--note", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.view
        yield self._note
        yield self.slider

    def draw(self, shared: int | None, chosen: bool, differing: str) -> None:
        """Show the side as it is now. shared: characters in common with the other text, None for all; differing: the
        values of controls that differ from the other side's.
        """
        side, stage = self.side, self.side.stage
        self._title.set_class(chosen, "-chosen")  # not the pane: its text would be styled again
        show_line(self._title, f"{'▸' if chosen else ' '}{side.letter} {differing}{side.title}")
        self.slider.set_class(stage is not None, "-sliding")
        self.slider.stage = stage
        if side.shown is not None:
            self._draw_text(side.shown, shared)

    def _draw_text(self, shown: ComparisonText, shared: int | None) -> None:
        prime, text = shown.prime, self.side.text
        marks = [] if shared is None else [Mark(len(prime) + shared, "differs")]
        self.view.show(prime + text if text else "", prime_length=len(prime), marks=marks)
        self.view.busy = self.side.growing
        if not self.side.growing:
            unknown = shown.unknown
            names = ", ".join(map(symbol_of, unknown[:_MOST_NAMED])) + (" …" if len(unknown) > _MOST_NAMED else "")
            note = shown.problem or (f"skipped here, not in this model's alphabet: {names}" if unknown else "")
            self._note.set_class(bool(shown.problem), "-problem")
            self._note.set_class(bool(note), "-noted")
            show_line(self._note, note, layout=True)
