"""Colours for what the model thought of each character: five steps of one scale, the same in every mode."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from charrnn_tui.sampling.page import Page
from charrnn_tui.tui.widgets.text_view import TextView

_FIRST_CLASS: Final = 1  # of the text view's; its class 0 is dim, which not every terminal shows


@dataclass(frozen=True)
class ColourMode:
    """What colours show. bounds: four figures between the five steps; words: of the steps, in the legend."""

    name: str
    figure: Callable[[Page, int, int], NDArray[np.floating]]
    bounds: tuple[float, ...]
    words: tuple[str, ...]

    def steps(self, page: Page, start: int, end: int) -> list[int]:
        """0 … 4 for each of the characters [start, end) of a page: 0 where the model was surest."""
        figures = self.figure(page, start, end)
        if self.bounds[0] > self.bounds[-1]:
            return [int(step) for step in np.searchsorted(-np.array(self.bounds), -figures, side="left")]
        return [int(step) for step in np.searchsorted(np.array(self.bounds), figures, side="right")]


def _surprise(page: Page, start: int, end: int) -> NDArray[np.floating]:
    return np.array(page.surprises[start:end], np.float32)


def _probability(page: Page, start: int, end: int) -> NDArray[np.floating]:
    probabilities: NDArray[np.floating] = np.exp2(-_surprise(page, start, end))
    return probabilities


def _relative(page: Page, start: int, end: int) -> NDArray[np.floating]:
    """Its probability over the likeliest one's: 1 where it was the likeliest."""
    logits = page.logits_between(start, end)
    chosen = np.take_along_axis(logits, np.array(page.ids[start:end], np.intp)[:, np.newaxis], axis=1)[:, 0]
    relative: NDArray[np.floating] = np.exp(chosen - logits.max(axis=1, initial=-np.inf))
    return relative


def _entropy(page: Page, start: int, end: int) -> NDArray[np.floating]:
    return np.array(page.entropies[start:end], np.float32)


MODES: Final = (
    ColourMode("probability", _probability, (0.8, 0.4, 0.1, 0.01), (" ≥80% ", " ≥40% ", " ≥10% ", " ≥1% ", " <1% ")),
    ColourMode("of the best", _relative, (1.0, 0.5, 0.1, 0.01), (" best ", " ≥½ ", " ≥10% ", " ≥1% ", " <1% ")),
    ColourMode("surprise", _surprise, (0.5, 1.5, 3.0, 6.0), (" <½ bit ", " ½ ", " 1½ ", " 3 ", " 6+ ")),
    ColourMode("entropy", _entropy, (0.5, 1.5, 2.5, 3.5), (" <½ bit ", " ½ ", " 1½ ", " 2½ ", " 3½+ ")),
)


def classes_of(mode: ColourMode, page: Page | None, start: int, end: int) -> list[int]:
    """The text view's class of each character [start, end) of prime and page; -1 within the prime."""
    if page is None:
        return [-1] * (end - start)
    primed = len(page.prime)
    within = max(0, min(end, primed) - start)
    steps = mode.steps(page, max(0, start - primed), min(len(page), max(0, end - primed)))
    return [-1] * within + [_FIRST_CLASS + step for step in steps]


class SurpriseLegend(Horizontal):
    """One row: the steps in the colours themselves, so that it cannot say anything else than the text does; figures."""

    DEFAULT_CSS = """
    SurpriseLegend {
        height: 1; padding: 0 1;
        & > TextView { height: 1; width: 41; scrollbar-size: 0 0; }
        & > Static { height: 1; width: 1fr; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.scale = TextView(id="colour-scale")
        self.scale.can_focus = False
        self._figures = Static("", markup=False)
        self.words = ""

    def compose(self) -> ComposeResult:
        yield self.scale
        yield self._figures

    def show_mode(self, mode: ColourMode) -> None:
        """Explain this mode's steps."""
        lead = f"{mode.name} "
        classes = [-1] * len(lead) + [_FIRST_CLASS + step for step, word in enumerate(mode.words) for _ in word]
        self.scale.style_of = lambda start, end: classes[start:end]
        self.scale.set_text(lead + "".join(mode.words))

    def show_figures(self, page: Page, start: int, end: int) -> None:
        """Total bits, bits a character and perplexity of the characters [start, end)."""
        whole = end - start == len(
            page
        )  # what its total is known for: summing it at each beat would grow with the text
        bits = page.total_bits if whole else float(np.sum(page.surprises[start:end], dtype=np.float64))
        mean = bits / (end - start) if end > start else 0.0
        selected = "" if whole else f"{end - start:,} chars: "
        words = f"{selected}{bits:,.0f} bits · {mean:.2f}/char · ppl {2**mean:.2f}" if end > start else ""
        if words != self.words:
            self.words = words
            self._figures.update(words, layout=False)
