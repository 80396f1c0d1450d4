"""The colours of a text: a quantity of the model's for each character, in five steps, and the legend."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from charrnn_tui.run.quantities import LN2, nats
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.tui.static_line import longest_fitting, show_line
from charrnn_tui.tui.textview.text_view import TextView

_FIRST_CLASS: Final = 1  # of the text view's; its class 0 is dim, which not every terminal shows


@dataclass(frozen=True)
class ColourMode:
    """A quantity that colours show. bounds: four values between the five steps; labels: of the steps, in the legend."""

    name: str
    figure: Callable[[GeneratedText, int, int], NDArray[np.floating]]
    bounds: tuple[float, ...]
    labels: tuple[str, ...]

    def steps(self, text: GeneratedText, start: int, end: int) -> list[int]:
        """0 … 4 for each of the characters [start, end) of a text: 0 the most expected."""
        steps: list[int] = np.digitize(self.figure(text, start, end), self.bounds).tolist()
        return steps


def _surprise(text: GeneratedText, start: int, end: int) -> NDArray[np.floating]:
    """In nats."""
    return LN2 * np.array(text.surprises[start:end], np.float32)


def _probability(text: GeneratedText, start: int, end: int) -> NDArray[np.floating]:
    probabilities: NDArray[np.floating] = np.exp(-_surprise(text, start, end))
    return probabilities


def _relative(text: GeneratedText, start: int, end: int) -> NDArray[np.floating]:
    """The probability of each character over that of the likeliest at its place."""
    logits = text.logits_between(start, end)
    chosen = np.take_along_axis(logits, np.array(text.ids[start:end], np.intp)[:, np.newaxis], axis=1)[:, 0]
    relative: NDArray[np.floating] = np.exp(chosen - logits.max(axis=1, initial=-np.inf))
    return relative


def _entropy(text: GeneratedText, start: int, end: int) -> NDArray[np.floating]:
    """In nats."""
    return LN2 * np.array(text.entropies[start:end], np.float32)


MODES: Final = (
    ColourMode("probability", _probability, (0.8, 0.4, 0.1, 0.01), (" ≥80% ", " ≥40% ", " ≥10% ", " ≥1% ", " <1% ")),
    ColourMode("of the best", _relative, (1.0, 0.5, 0.1, 0.01), (" best ", " ≥50% ", " ≥10% ", " ≥1% ", " <1% ")),
    ColourMode("surprise", _surprise, (0.5, 1.0, 2.0, 4.0), (" <.5 nat ", " .5 ", " 1 ", " 2 ", " 4+ ")),
    ColourMode("entropy", _entropy, (0.5, 1.0, 1.5, 2.5), (" <.5 nat ", " .5 ", " 1 ", " 1.5 ", " 2.5+ ")),
)


def colour_classes(mode: ColourMode, text: GeneratedText | None, start: int, end: int) -> list[int]:
    """The text view's class of each character [start, end) of prime and text; -1 within the prime."""
    if text is None:
        return [-1] * (end - start)
    primed = len(text.prime)
    within = max(0, min(end, primed) - start)
    steps = mode.steps(text, max(0, start - primed), min(len(text), max(0, end - primed)))
    return [-1] * within + [_FIRST_CLASS + step for step in steps]


class SurpriseLegend(Horizontal):
    """One row: the five steps in their colours, drawn by a text view of its own, and figures of the text."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = TextView(id="colour-scale", of_user=False)
        self.scale.can_focus = False
        self._figures = Static("", markup=False)

    def compose(self) -> ComposeResult:
        yield self.scale
        yield self._figures

    def show_mode(self, mode: ColourMode) -> None:
        """Show the steps of a mode."""
        lead = f"{mode.name} "
        classes = [-1] * len(lead) + [_FIRST_CLASS + step for step, label in enumerate(mode.labels) for _ in label]
        self.scale.colour_classes = lambda start, end: classes[start:end]
        self.scale.set_text(lead + "".join(mode.labels))

    def show_figures(self, text: GeneratedText, start: int, end: int) -> None:
        """Nats a character, perplexity and total nats of the characters [start, end)."""
        whole = end - start == len(text)  # then the text knows its total; a sum at every draw would grow with it
        total = nats(text.total_bits if whole else math.fsum(text.surprises[start:end]))
        lines = [""]
        if end > start:
            mean = total / (end - start)
            lines = [f"{mean:.2f} nats/char" if whole else f"{end - start:,} chars: {mean:.2f} nats/char"]
            lines.append(f"{lines[-1]} · ppl {math.exp(mean):.2f}")
            lines.append(f"{lines[-1]} · {total:,.0f} nats")
        show_line(self._figures, longest_fitting(lines, self._figures.size.width))
