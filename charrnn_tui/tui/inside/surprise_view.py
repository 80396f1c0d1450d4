"""A text coloured by how much its characters surprised a model, the way to the worst places, and means."""

import math
from typing import ClassVar, Final

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from charrnn_tui.analysis.surprise import Surprise
from charrnn_tui.playground.model_studies import SurpriseFound
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.play.lenses.quantities import SURPRISE, SURPRISE_BOUNDS
from charrnn_tui.tui.textview.lens import STEPS, LensLegend
from charrnn_tui.tui.textview.text_view import TextView
from charrnn_tui.tui.textview.visible import symbol_of

PLACES: Final = 50  # that the keys go through
_WIDE: Final = 90  # cells, from which on the means stand beside the text


class SurpriseView(Vertical):
    """The text with a cursor; the line below it says what the model expected at the cursor."""

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("n", "go(1)", "Next", "Go to the next place, by how much it surprised the model.", "surprise.next"),
        Key("N", "go(-1)", "Before", "Go back to the place before.", "surprise.before"),
        Key("t", "table", "Means", "Show the means by kind and position, or the text.", "surprise.table"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, found: SurpriseFound) -> None:
        super().__init__()
        self._surprise, self._tokens = found.surprise, found.tokens
        self._worst, self._at = found.surprise.worst(PLACES), -1
        self._steps = [-1, *(STEPS[step] for step in np.digitize(found.surprise.losses, SURPRISE_BOUNDS).tolist())]
        self.text = TextView()
        self._means = VerticalScroll(Static("\n".join(mean_lines(found.surprise)), markup=False))
        self._legend, self._cursor = LensLegend(), Static("", markup=False, id="surprise-cursor")

    def compose(self) -> ComposeResult:
        with Horizontal(id="surprise-page"):
            yield self.text
            yield self._means
        yield self._cursor
        yield self._legend

    def on_mount(self) -> None:
        self.text.colour_classes = lambda start, end: self._steps[start:end]
        self.text.set_text(self._surprise.text)
        self.text.show_cursor = True
        self.text.cursor = 0
        self.text.focus()
        self._legend.show_lens(SURPRISE)
        mean = f"{self._surprise.loss:.2f} nats/char"
        self._legend.show_figures([mean, f"{mean} · {len(self._surprise.text):,} characters"])

    def on_resize(self) -> None:
        """Show the means beside the text where there is room."""
        self.set_class(self.size.width >= _WIDE, "-wide")

    @on(TextView.CursorMoved)
    def show_cursor(self) -> None:
        """Say what the model expected at the cursor."""
        place = self.text.cursor or 0
        line = "nothing predicts the first character"
        if place:
            loss, best = self._surprise.losses[place - 1], self._surprise.expected_losses[place - 1]
            line = f"{symbol_of(self._surprise.text[place])} {loss:.2f} nats, {_percent(loss)}"
            likeliest = symbol_of(self._tokens[self._surprise.expected[place - 1]])
            line += " · the likeliest" if best == loss else f" · expected {likeliest} {_percent(best)}"
        if self._at >= 0 and place == self._worst[self._at]:
            line = f"{self._at + 1} of {len(self._worst)}: {line}"
        self._cursor.update(f"{line} · at {place:,}")

    def action_go(self, by: int) -> None:
        """To another of the worst places, and around at the ends."""
        if self._worst:
            self._at = (self._at + by) % len(self._worst) if self._at >= 0 else 0
            self._show_means(False)
            self.text.cursor = self._worst[self._at]
            self.show_cursor()

    def action_table(self) -> None:
        """Show the means instead of the text, where there is no room for both; or the text again."""
        self._show_means(not self.has_class("-table"))

    def _show_means(self, shown: bool) -> None:
        self.set_class(shown, "-table")
        only_means = shown and not self.has_class("-wide")
        self.call_after_refresh((self._means if only_means else self.text).focus)  # what is hidden loses the focus


def _percent(loss: float) -> str:
    """The probability of a character that cost so many nats."""
    probability = math.exp(-loss)
    return "<0.1%" if probability < 0.001 else f"{probability:.1%}"


def mean_lines(surprise: Surprise) -> list[str]:
    """A table of the losses by kind of character, by the position in a word and by the position in a line."""
    tables = (
        ("kind", surprise.by_kind()),
        ("in word", surprise.by_word_position()),
        ("in line", surprise.by_line_position()),
    )
    lines = list[str]()
    for name, groups in tables:
        lines += [f"{name:<8}{'chars':>8}  nats/char"]
        lines += [f"{group.name:<8}{group.chars:>8,}  {group.loss:>9.2f}" for group in groups]
        lines.append("")
    return lines[:-1]
