"""Which units of a model follow a property of the text: its cells ranked by the area under the ROC curve.

A unit's activation is tanh(c), the value that its output gate lets through (Karpathy, Johnson & Li 2015). The area is
the probability that the activation behind a character with the property is higher than behind one without it; 0.5 is
no relation. Among a thousand units the best is above 0.5 by chance alone: the ranking is made on one half of the text
and reported on the other half, beside the best area for the same labels moved along the text. A single span of the
text has no other half; there only what chance gives tells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.probes import Labels
from charrnn_tui.analysis.reading import ReadBlock

BINS = 256  # of tanh(c) from -1 to 1; ties within a bin count half
SHIFTS = (0.21, 0.43, 0.67)  # of a half's length, by which the labels are moved for what chance gives
PLACES = 10  # of each unit, where its activation is highest


@dataclass(frozen=True)
class UnitArea:
    """A unit, its layer and itself counted from 1. area: on the half where the units were ranked; held_out: the other,
    None where they were ranked on the whole text.

    Areas below 0.5 are of units that are lower where the property holds.
    """

    layer: int
    unit: int
    area: float
    held_out: float | None


class UnitStudy:
    """Counts what the units do while a text is read. Memory: 60 MB at 2 × 512 units."""

    def __init__(self, labels: Labels, n_layers: int, n_hidden: int, *, halves: bool = True) -> None:
        """labels: of the text's characters, (T,). halves: rank on the first half, or else on all of it."""
        self.n_layers, self.n_hidden = n_layers, n_hidden
        self._middle = len(labels) // 2 if halves else len(labels)
        parts = [labels[: self._middle], labels[self._middle :]] if halves else [labels]
        self._labels = [labels] + [
            np.concatenate([np.roll(part, int(shift * len(part))) for part in parts]) for shift in SHIFTS
        ]
        units = n_layers * n_hidden
        self._all = np.zeros((len(parts), units * BINS), np.int64)
        self._with = np.zeros((len(self._labels), len(parts), units * BINS), np.int64)
        self._offsets = np.arange(units, dtype=np.int64) * BINS
        self._highest = np.full((PLACES, units), -np.inf, np.float32)
        self._places = np.zeros((PLACES, units), np.int64)

    def add(self, block: ReadBlock) -> None:
        """Count a block of the text."""
        if not len(block.places):
            return
        activations = np.tanh(block.cells).reshape(len(block.places), -1)  # (N, units)
        bins = np.minimum((activations + 1) * (BINS / 2), BINS - 1).astype(np.int64) + self._offsets
        second = block.places >= self._middle
        for half, chosen in enumerate((~second, second)):
            if chosen.any():
                self._all[half] += np.bincount(bins[chosen].ravel(), minlength=self._all.shape[1])
                for counts, labels in zip(self._with, self._labels, strict=True):
                    held = bins[chosen & labels[block.places]]
                    counts[half] += np.bincount(held.ravel(), minlength=self._all.shape[1])
        self._keep_highest(block.places, activations)

    def _keep_highest(self, places: NDArray[np.int64], activations: NDArray[np.float32]) -> None:
        """One place of each stretch of a block, so that neighbours are not listed."""
        units = np.arange(activations.shape[1])
        for begin, end in _stretches(places):
            best = begin + activations[begin:end].argmax(0)  # (units,)
            lowest = self._highest.argmin(0)  # of those kept
            better = activations[best, units] > self._highest[lowest, units]
            replaced, found = (lowest[better], units[better]), best[better]
            self._highest[replaced], self._places[replaced] = activations[found, units[better]], places[found]

    def ranked(self) -> list[UnitArea]:
        """All units, those first whose area on the first half is furthest from 0.5.

        Raises ValueError where a half has no character with the property, or none without it.
        """
        found, *held_out = self._areas(0)
        order = np.argsort(-np.abs(found - 0.5), kind="stable").tolist()
        return [
            UnitArea(
                1 + unit // self.n_hidden,
                1 + unit % self.n_hidden,
                float(found[unit]),
                float(held_out[0][unit]) if held_out else None,
            )
            for unit in order
        ]

    @property
    def chance(self) -> float:
        """The area furthest from 0.5, as one above it, that a unit has for labels moved along the text."""
        return max(0.5 + float(np.abs(self._areas(shift)[0] - 0.5).max()) for shift in range(1, len(self._labels)))

    @property
    def share(self) -> float:
        """Of the characters read, those that have the property."""
        return float(self._with[0].sum() / max(1, self._all.sum()))

    def highest(self, area: UnitArea) -> list[tuple[int, float]]:
        """(place, activation) where a unit's activation is highest, the highest first."""
        unit = (area.layer - 1) * self.n_hidden + area.unit - 1
        listed = zip(self._places[:, unit].tolist(), self._highest[:, unit].tolist(), strict=True)
        return sorted((each for each in listed if np.isfinite(each[1])), key=lambda each: -each[1])

    def _areas(self, labels: int) -> list[NDArray[np.float64]]:
        """Of each unit, (units,), on both halves, or on the whole text."""
        text = "the text" if len(self._all) == 1 else "a half of the text"
        parts = zip(self._with[labels], self._all, strict=True)
        return [areas(yes.reshape(-1, BINS), (every - yes).reshape(-1, BINS), text) for yes, every in parts]


def areas(yes: NDArray[np.int64], no: NDArray[np.int64], text: str = "a half of the text") -> NDArray[np.float64]:
    """The area under the ROC curve of each row of counts, (units, BINS), by the rank statistic of Mann & Whitney 1947.

    Raises ValueError where one of the two is empty. text: what it calls what was counted.
    """
    total_yes, total_no = yes.sum(1), no.sum(1)
    if not (total_yes.all() and total_no.all()):
        raise ValueError(f"all characters of {text} have the property, or none has")
    below = np.cumsum(no, axis=1) - no / 2  # without the property, and lower; those in the same bin count half
    found: NDArray[np.float64] = (yes * below).sum(1) / (total_yes * total_no)
    return found


def _stretches(places: NDArray[np.int64]) -> list[tuple[int, int]]:
    """(begin, end) of the runs of consecutive places."""
    ends = [*(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), len(places)]
    return list(zip([0, *ends[:-1]], ends, strict=True))
