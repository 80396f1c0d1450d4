"""Lenses that show a quantity of the model's for each written character, in five steps."""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.run.quantities import LN2, nats
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.tui.textview.lens import STEPS, Lens, Page

Figure = Callable[[GeneratedText, int, int], NDArray[np.floating]]  # of the written characters [start, end)


def _lens(name: str, about: str, figure: Figure, bounds: tuple[float, ...], labels: tuple[str, ...]) -> Lens:
    """bounds: four values between the five steps, from the most expected one on; labels: of the steps."""

    def classes(text: GeneratedText, start: int, end: int) -> list[int]:
        primed = len(text.prime)
        within = max(0, min(end, primed) - start)
        values = figure(text, max(0, start - primed), min(len(text), max(0, end - primed)))
        return [-1] * within + [STEPS[step] for step in np.digitize(values, bounds).tolist()]

    return Lens(name, about, tuple(zip(labels, STEPS, strict=True)), classes, _figures)


def _figures(page: Page) -> Sequence[str]:
    """Nats a character, perplexity and total nats of the examined part."""
    text, (start, end) = page.text, page.examined
    whole = end - start == len(text)  # then the text knows its total; a sum at every draw would grow with it
    total = nats(text.total_bits if whole else math.fsum(text.surprises[start:end]))
    lines = [""]
    if end > start:
        mean = total / (end - start)
        lines = [f"{mean:.2f} nats/char" if whole else f"{end - start:,} chars: {mean:.2f} nats/char"]
        lines.append(f"{lines[-1]} · ppl {math.exp(mean):.2f}")
        lines.append(f"{lines[-1]} · {total:,.0f} nats")
    return lines


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


SURPRISE_BOUNDS: Final = (0.5, 1.0, 2.0, 4.0)  # nats
SURPRISE: Final = _lens(
    "surprise",
    "how unexpected each character was, in nats",
    _surprise,
    SURPRISE_BOUNDS,
    (" <.5 nat ", " .5 ", " 1 ", " 2 ", " 4+ "),
)
QUANTITIES: Final = (
    _lens(
        "probability",
        "of each character, as the model predicted it",
        _probability,
        (0.8, 0.4, 0.1, 0.01),
        (" ≥80% ", " ≥40% ", " ≥10% ", " ≥1% ", " <1% "),
    ),
    _lens(
        "of the best",
        "its probability over that of the likeliest character",
        _relative,
        (1.0, 0.5, 0.1, 0.01),
        (" best ", " ≥50% ", " ≥10% ", " ≥1% ", " <1% "),
    ),
    SURPRISE,
    _lens(
        "entropy",
        "how uncertain the model was before each character, in nats",
        _entropy,
        (0.5, 1.0, 1.5, 2.5),
        (" <.5 nat ", " .5 ", " 1 ", " 1.5 ", " 2.5+ "),
    ),
)
"""Those that the key for colours steps through."""
