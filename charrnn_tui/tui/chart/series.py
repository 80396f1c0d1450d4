"""The curves of a loss chart, taken from the progress of runs: points, their extremes by columns, and smoothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart.metrics import Metric

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Columns:
    """One entry per column of a chart, shape (columns,); NaN where the column has no finite loss."""

    low: Floats
    high: Floats
    mean: Floats
    points: npt.NDArray[np.int64]
    """Points in the column, gaps included: tells a column of gaps from one that no step falls into."""


@dataclass(frozen=True, eq=False)
class LossSeries:
    """Losses (nats/char) at increasing steps, both of shape (points,). A loss that is NaN is a gap."""

    steps: Steps
    losses: Floats

    @classmethod
    def of(cls, steps: Sequence[int], losses: Sequence[float]) -> "LossSeries":
        """Copies. A loss that float32 cannot hold, or that is infinite, becomes a gap."""
        with np.errstate(over="ignore"):
            values = np.array(losses, np.float32)
        values[np.isinf(values)] = np.nan
        return cls(np.array(steps, np.int64), values)

    def __len__(self) -> int:
        return len(self.steps)

    @cached_property
    def lowest(self) -> int | None:
        """Index of the first lowest loss."""
        return None if np.isnan(self.losses).all() else int(np.nanargmin(self.losses))

    def nearest(self, step: float) -> int | None:
        """Index of the point nearest to a step."""
        if not len(self):
            return None
        return int(np.abs(self.steps - step).argmin())

    def columns(self, edges: npt.NDArray[np.float64]) -> Columns:
        """Extremes and mean of the columns edges[i] <= step < edges[i + 1]; edges has shape (columns + 1,)."""
        bounds = np.searchsorted(self.steps, np.ceil(edges).astype(np.int64))
        points = np.diff(bounds)
        low, high, mean = (np.full(len(points), np.nan, np.float32) for _ in range(3))
        filled = np.flatnonzero(points)
        if len(filled):
            starts = bounds[filled] - bounds[0]  # of the columns with points, which lie one behind the other
            losses = self.losses[bounds[0] : bounds[-1]]
            low[filled] = np.fmin.reduceat(losses, starts)
            high[filled] = np.fmax.reduceat(losses, starts)
            totals = np.add.reduceat(np.nan_to_num(losses, nan=0.0).astype(np.float64), starts)
            counts = np.add.reduceat(~np.isnan(losses), starts, dtype=np.int64)
            with np.errstate(invalid="ignore"):
                mean[filled] = totals / counts
        return Columns(low, high, mean, points)

    def smoothed(self, smoothing: float) -> "LossSeries":
        """Exponential moving average with bias correction (as in Adam, Kingma & Ba 2015, section 3).

        smoothing: the weight of the past, 0 <= smoothing < 1; 0 gives no points.
        """
        if not smoothing:
            return LossSeries(self.steps[:0], self.losses[:0])
        smoothed, finite = np.full(len(self), np.nan, np.float32), ~np.isnan(self.losses)
        losses = (1 - smoothing) * self.losses[finite].astype(np.float64)
        averages = list(accumulate(losses.tolist(), lambda average, loss: smoothing * average + loss))
        smoothed[finite] = averages / (1 - smoothing ** np.arange(1, len(averages) + 1))
        return LossSeries(self.steps, smoothed)


@dataclass(frozen=True, eq=False)
class LossCurves:
    """Everything a loss chart draws. overlays: of other runs, by name. interventions: (step, label), by step.

    baselines: the losses of simple models, by name, which validations may fall below; nats/char. metric: what is drawn
    in place of the training losses, without validations; None for the losses.
    """

    train: LossSeries
    validation: LossSeries
    smoothing: float
    overlays: Mapping[str, LossSeries]
    interventions: Sequence[tuple[int, str]]
    baselines: Mapping[str, float]
    metric: Metric | None = None

    @classmethod
    def of(
        cls,
        progress: RunProgress,
        smoothing: float = 0.9,
        overlays: Mapping[str, RunProgress] | None = None,
        baselines: Mapping[str, float] | None = None,
        metric: Metric | None = None,
    ) -> "LossCurves":
        """Of another run the validation losses are drawn, or its training losses if it has none."""
        if metric is not None:
            drawn = {name: LossSeries.of(*metric.points(other)) for name, other in (overlays or {}).items()}
            own = LossSeries.of(*metric.points(progress))
            return cls(own, LossSeries.of([], []), smoothing, drawn, progress.ticks, {}, metric)
        train, validation = _series_of(progress)
        others = {name: _series_of(other) for name, other in (overlays or {}).items()}
        overlaid = {name: other_validation or other_train for name, (other_train, other_validation) in others.items()}
        happened = sorted([*progress.ticks, *_passings(validation, baselines or {})], key=lambda tick: tick[0])
        return cls(train, validation, smoothing, overlaid, happened, baselines or {})

    @property
    def best_baseline(self) -> tuple[str, float] | None:
        """That with the least loss."""
        return min(self.baselines.items(), key=lambda each: each[1], default=None)

    @cached_property
    def smoothed(self) -> LossSeries:
        return self.train.smoothed(self.smoothing)

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


def passed_at(validation: LossSeries, loss: float) -> int | None:
    """The step of the first validation below this loss."""
    below = np.flatnonzero(validation.losses < loss)
    return int(validation.steps[below[0]]) if len(below) else None


def _passings(validation: LossSeries, baselines: Mapping[str, float]) -> list[tuple[int, str]]:
    """Where validations first fall below a baseline; of several passed by the same one, the lowest."""
    named = {}
    for name, loss in sorted(baselines.items(), key=lambda each: -each[1]):
        if (step := passed_at(validation, loss)) is not None:
            named[step] = f"passes the {name}"
    return list(named.items())


def _series_of(progress: RunProgress) -> tuple[LossSeries, LossSeries]:
    """Training and validation losses."""
    validation = LossSeries.of(progress.val_steps, progress.val_losses)
    return LossSeries.of(progress.steps, progress.losses), validation
