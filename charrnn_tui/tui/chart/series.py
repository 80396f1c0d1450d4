"""The data behind a loss chart: points that grow, and their exact extremes and mean over any range of steps.

A pyramid of pairs (a segment tree) answers "lowest, highest and mean loss of each of these columns" in
O(columns · log points), so that a million points draw as fast as a thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)
Numbers = Sequence[float] | npt.NDArray[np.generic]

LOW, HIGH, TOTAL, COUNT = range(4)
EMPTY_BLOCK = np.array([[np.inf], [-np.inf], [0], [0]], dtype=np.float32)
FIRST_CAPACITY = 256


@dataclass(frozen=True)
class Columns:
    """One entry per column of a chart, shape (columns,); NaN where the column has no finite loss."""

    low: Floats
    high: Floats
    mean: Floats
    points: npt.NDArray[np.int64]
    """Points in the column, gaps included: tells a column of gaps from one that no step falls into."""


class LossSeries:
    """Losses (float32, nats/char) at increasing steps (int64). A loss that is NaN or infinite is a gap."""

    def __init__(self) -> None:
        self._count = 0
        self._steps: Steps = np.empty(FIRST_CAPACITY, dtype=np.int64)
        self._losses: Floats = np.empty(FIRST_CAPACITY, dtype=np.float32)
        # Level k holds blocks of 2 ** (k + 1) points, shape (4, blocks): low, high, total, count of the finite losses.
        self._levels: list[Floats] = []
        self._lowest: int | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def steps(self) -> Steps:
        return self._steps[: self._count]

    @property
    def losses(self) -> Floats:
        return self._losses[: self._count]

    @property
    def lowest(self) -> int | None:
        """Index of the first lowest finite loss."""
        return self._lowest

    def append(self, steps: Numbers, losses: Numbers) -> None:
        """Add points. Points at or after the first new step are replaced: a resumed run writes its past anew.

        Raises ValueError if the two differ in length or the steps do not increase.
        """
        new_steps, new_losses = as_points(steps, losses)
        if not len(new_steps):
            return
        self.rewind(int(new_steps[0]))
        start, stop = self._count, self._count + len(new_steps)
        self._steps, self._losses = _with_room(self._steps, stop), _with_room(self._losses, stop)
        self._steps[start:stop] = new_steps
        self._losses[start:stop] = new_losses
        self._count = stop
        self._raise_pyramid(start)
        self._note_lowest(start)

    def rewind(self, step: int) -> None:
        """Forget the points at and after a step."""
        if self._count and step <= self._steps[self._count - 1]:
            self._count = int(np.searchsorted(self.steps, step))
            if self._lowest is not None and self._lowest >= self._count:
                self._lowest = None
                self._note_lowest(0)

    def nearest(self, step: float) -> int | None:
        """Index of the point nearest to a step."""
        if not self._count:
            return None
        after = int(np.searchsorted(self.steps, step))
        candidates = [index for index in (after - 1, after) if 0 <= index < self._count]
        return min(candidates, key=lambda index: abs(int(self._steps[index]) - step))

    def columns(self, edges: npt.NDArray[np.float64]) -> Columns:
        """Exact extremes and mean of the columns edges[i] <= step < edges[i + 1]; edges has shape (columns + 1,)."""
        bounds = np.searchsorted(self.steps, np.ceil(edges).astype(np.int64))
        blocks = self._reduce(bounds[:-1], bounds[1:])
        finite = blocks[COUNT] > 0
        low, high, mean = (np.full(len(edges) - 1, np.nan, dtype=np.float32) for _ in range(3))
        low[finite], high[finite] = blocks[LOW, finite], blocks[HIGH, finite]
        mean[finite] = blocks[TOTAL, finite] / blocks[COUNT, finite]
        mean[np.isinf(mean)] = np.nan  # the total of losses near float32's limit
        return Columns(low, high, mean, np.diff(bounds))

    def _reduce(self, starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]) -> Floats:
        """Combine the points [start, stop) of each column bottom-up, the odd blocks at the ends of each level."""
        result = np.repeat(EMPTY_BLOCK, len(starts), axis=1)
        starts, stops = starts.copy(), stops.copy()
        for level in range(-1, len(self._levels)):
            if not (starts < stops).any():
                break
            left = np.flatnonzero((starts < stops) & (starts & 1 == 1))
            _absorb(result, left, self._blocks(level, starts[left]))
            starts[left] += 1
            right = np.flatnonzero((starts < stops) & (stops & 1 == 1))
            stops[right] -= 1
            _absorb(result, right, self._blocks(level, stops[right]))
            starts >>= 1
            stops >>= 1
        return result

    def _blocks(self, level: int, indexes: npt.NDArray[np.int64]) -> Floats:
        return _points_as_blocks(self._losses[indexes]) if level < 0 else self._levels[level][:, indexes]

    def _raise_pyramid(self, first_new: int) -> None:
        """Renew every complete block that a point from `first_new` on belongs to."""
        level = 0
        while (stop := self._count >> (level + 1)) > 0:
            start = first_new >> (level + 1)
            if level == len(self._levels):
                self._levels.append(np.empty((4, FIRST_CAPACITY), dtype=np.float32))
                start = 0
            blocks = self._levels[level] = _with_room(self._levels[level], stop)
            below = (
                self._levels[level - 1][:, 2 * start : 2 * stop]
                if level
                else _points_as_blocks(self._losses[2 * start : 2 * stop])
            )
            even, odd = below[:, ::2], below[:, 1::2]
            blocks[LOW, start:stop] = np.minimum(even[LOW], odd[LOW])
            blocks[HIGH, start:stop] = np.maximum(even[HIGH], odd[HIGH])
            with np.errstate(over="ignore"):
                blocks[TOTAL:, start:stop] = even[TOTAL:] + odd[TOTAL:]
            level += 1

    def _note_lowest(self, first_new: int) -> None:
        fresh = self.losses[first_new:]
        if not np.isfinite(fresh).any():
            return
        candidate = first_new + int(np.argmin(np.where(np.isfinite(fresh), fresh, np.inf)))
        if self._lowest is None or self._losses[candidate] < self._losses[self._lowest]:
            self._lowest = candidate


class SmoothedLosses:
    """Exponential moving average with bias correction (as in Adam, Kingma & Ba 2015, section 3) of a growing series."""

    BLOCK = 128

    def __init__(self, smoothing: float) -> None:
        """`smoothing`: the weight of the past, 0 <= smoothing < 1."""
        self.smoothing = smoothing
        self.series = LossSeries()
        self._average = 0.0
        self._weight = 0.0  # 1 - smoothing ** (finite losses so far)

    def append(self, steps: Numbers, losses: Numbers) -> None:
        new_steps, new_losses = as_points(steps, losses)
        if not len(new_steps):
            return
        self._rewind(int(new_steps[0]))
        smoothed = np.full(len(new_losses), np.nan)
        finite = np.isfinite(new_losses)
        smoothed[finite] = self._smooth(new_losses[finite].astype(np.float64))
        self.series.append(new_steps, smoothed)

    def _smooth(self, losses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if not len(losses):
            return losses
        length = min(self.BLOCK, len(losses))
        powers = self.smoothing ** np.arange(length + 1)
        lags = np.subtract.outer(np.arange(length), np.arange(length))
        kernel = np.where(lags >= 0, (1 - self.smoothing) * powers[np.maximum(lags, 0)], 0)  # (length, length)
        padded = np.pad(losses, (0, -len(losses) % length))
        averages = padded.reshape(-1, length) @ kernel.T  # (blocks, length), each as if nothing came before it
        carried = np.empty(len(averages))
        carry = self._average
        for block, last in enumerate(averages[:, -1]):
            carried[block] = carry
            carry = carry * powers[length] + last
        averages += carried[:, None] * powers[1:]
        flat = averages.ravel()[: len(losses)]
        weights = 1 - (1 - self._weight) * self.smoothing ** np.arange(1, len(losses) + 1)
        self._average, self._weight = float(flat[-1]), float(weights[-1])
        return np.asarray(flat / weights)

    def _rewind(self, step: int) -> None:
        before = len(self.series)
        self.series.rewind(step)
        if len(self.series) == before:
            return
        finite = np.flatnonzero(np.isfinite(self.series.losses))
        self._weight = 1 - self.smoothing ** len(finite)
        self._average = float(self.series.losses[finite[-1]]) * self._weight if len(finite) else 0.0


@dataclass(frozen=True)
class Intervention:
    step: int
    label: str


@dataclass
class LossCurves:
    """Everything a loss chart draws."""

    train: LossSeries = field(default_factory=LossSeries)
    smoothed: SmoothedLosses = field(default_factory=lambda: SmoothedLosses(0.9))
    validation: LossSeries = field(default_factory=LossSeries)
    overlays: dict[str, LossSeries] = field(default_factory=dict)
    interventions: list[Intervention] = field(default_factory=list)

    def add_losses(self, steps: Numbers, losses: Numbers) -> None:
        new_steps, new_losses = as_points(steps, losses)
        if len(new_steps) and len(self.train) and new_steps[0] <= self.train.steps[-1]:
            self.validation.rewind(int(new_steps[0]))  # a resumed run: what was validated after this step is void
        self.train.append(new_steps, new_losses)
        if self.smoothed.smoothing:
            self.smoothed.append(new_steps, new_losses)

    def smooth(self, smoothing: float) -> None:
        self.smoothed = SmoothedLosses(smoothing)
        if smoothing:
            self.smoothed.append(self.train.steps, self.train.losses)

    @property
    def own(self) -> list[LossSeries]:
        """The run's series that have points."""
        return [series for series in (self.train, self.validation) if len(series)]

    def nearest_step(self, step: float) -> int:
        """The step of the run's nearest point; the step itself while the run has none."""
        index = self.own[0].nearest(step) if self.own else None
        return round(step) if index is None else int(self.own[0].steps[index])

    def step_beside(self, step: int, direction: int, distance: float) -> int:
        """The run's point so many steps further in a direction (-1 or 1), and at least the next one."""
        there = self.nearest_step(step + direction * distance)
        if there == step and self.own:
            steps = self.own[0].steps
            beside = int(np.searchsorted(steps, step)) + direction
            there = int(steps[min(max(0, beside), len(steps) - 1)])
        return there

    @property
    def is_empty(self) -> bool:
        return not self.own and not any(len(series) for series in self.overlays.values())

    def reach(self, overlays: bool) -> tuple[int, int]:
        """First and last step, (0, 0) without points; with or without the other runs."""
        drawn = [*self.own, *(series for series in self.overlays.values() if overlays and len(series))]
        if not drawn:
            return 0, 0
        return min(int(series.steps[0]) for series in drawn), max(int(series.steps[-1]) for series in drawn)


def as_points(steps: Numbers, losses: Numbers) -> tuple[Steps, Floats]:
    new_steps = np.asarray(steps, dtype=np.int64).reshape(-1)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and infinite is a gap
        new_losses = np.asarray(losses, dtype=np.float32).reshape(-1)
    if len(new_steps) != len(new_losses):
        raise ValueError(f"{len(new_steps)} steps for {len(new_losses)} losses")
    if (np.diff(new_steps) <= 0).any():
        before, after = next((a, b) for a, b in pairwise(new_steps.tolist()) if b <= a)
        raise ValueError(f"steps must increase, but {after} follows {before}")
    return new_steps, new_losses


def _points_as_blocks(losses: Floats) -> Floats:
    finite = np.isfinite(losses)
    return np.stack(
        [
            np.where(finite, losses, np.float32(np.inf)),
            np.where(finite, losses, np.float32(-np.inf)),
            np.where(finite, losses, np.float32(0)),
            finite.astype(np.float32),
        ]
    )


def _absorb(result: Floats, columns: npt.NDArray[np.int64], blocks: Floats) -> None:
    result[LOW, columns] = np.minimum(result[LOW, columns], blocks[LOW])
    result[HIGH, columns] = np.maximum(result[HIGH, columns], blocks[HIGH])
    result[TOTAL, columns] += blocks[TOTAL]
    result[COUNT, columns] += blocks[COUNT]


def _with_room(array: npt.NDArray[Number], length: int) -> npt.NDArray[Number]:
    """The array, its last axis doubled until `length` entries fit."""
    capacity = array.shape[-1]
    if length <= capacity:
        return array
    while capacity < length:
        capacity *= 2
    grown = np.empty((*array.shape[:-1], capacity), dtype=array.dtype)
    grown[..., : array.shape[-1]] = array
    return grown
