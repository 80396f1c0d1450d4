"""Colours for what the model thought of each character: five steps of one scale, the same in every mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.tui.textview.surprise_legend import FIRST_CLASS

if TYPE_CHECKING:
    from charrnn_tui.sampling.generated_text import GeneratedText


@dataclass(frozen=True)
class ColourMode:
    """What colours show. bounds: four figures between the five steps; words: of the steps, in the legend."""

    name: str
    figure: Callable[[GeneratedText, int, int], NDArray[np.floating]]
    bounds: tuple[float, ...]
    words: tuple[str, ...]

    def steps(self, page: GeneratedText, start: int, end: int) -> list[int]:
        """0 … 4 for each of the characters [start, end) of a page: 0 where the model was surest."""
        figures = self.figure(page, start, end)
        if self.bounds[0] > self.bounds[-1]:
            return [int(step) for step in np.searchsorted(-np.array(self.bounds), -figures, side="left")]
        return [int(step) for step in np.searchsorted(np.array(self.bounds), figures, side="right")]


def _surprise(page: GeneratedText, start: int, end: int) -> NDArray[np.floating]:
    return np.array(page.surprises[start:end], np.float32)


def _probability(page: GeneratedText, start: int, end: int) -> NDArray[np.floating]:
    probabilities: NDArray[np.floating] = np.exp2(-_surprise(page, start, end))
    return probabilities


def _relative(page: GeneratedText, start: int, end: int) -> NDArray[np.floating]:
    """Its probability over the likeliest one's: 1 where it was the likeliest."""
    logits = page.logits_between(start, end)
    chosen = np.take_along_axis(logits, np.array(page.ids[start:end], np.intp)[:, np.newaxis], axis=1)[:, 0]
    relative: NDArray[np.floating] = np.exp(chosen - logits.max(axis=1, initial=-np.inf))
    return relative


def _entropy(page: GeneratedText, start: int, end: int) -> NDArray[np.floating]:
    return np.array(page.entropies[start:end], np.float32)


MODES: Final = (
    ColourMode("probability", _probability, (0.8, 0.4, 0.1, 0.01), (" ≥80% ", " ≥40% ", " ≥10% ", " ≥1% ", " <1% ")),
    ColourMode("of the best", _relative, (1.0, 0.5, 0.1, 0.01), (" best ", " ≥½ ", " ≥10% ", " ≥1% ", " <1% ")),
    ColourMode("surprise", _surprise, (0.5, 1.5, 3.0, 6.0), (" <½ bit ", " ½ ", " 1½ ", " 3 ", " 6+ ")),
    ColourMode("entropy", _entropy, (0.5, 1.5, 2.5, 3.5), (" <½ bit ", " ½ ", " 1½ ", " 2½ ", " 3½+ ")),
)


def classes_of(mode: ColourMode, page: GeneratedText | None, start: int, end: int) -> list[int]:
    """The text view's class of each character [start, end) of prime and page; -1 within the prime."""
    if page is None:
        return [-1] * (end - start)
    primed = len(page.prime)
    within = max(0, min(end, primed) - start)
    steps = mode.steps(page, max(0, start - primed), min(len(page), max(0, end - primed)))
    return [-1] * within + [FIRST_CLASS + step for step in steps]
