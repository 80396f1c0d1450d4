"""Axes that stay where they are: round ticks, ranges that move in stages and with hysteresis."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
STAGES = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
LOG_TICKS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0)
SHORTEST_RANGE = 20  # steps: the first picture of a run
LOOSE = 0.6  # a loss range is renewed when the losses fill less than this share of it


def nice_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 2.5, 5 × 10ⁿ that divides the span into at most `count` parts."""
    rough = span / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * nice for nice in NICE if power * nice >= rough * (1 - 1e-9))


def round_ticks(low: float, high: float, count: int) -> list[float]:
    step = nice_step(high - low, count)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [index * step for index in range(first, last + 1)]


def step_label(step: float) -> str:
    """850, 12.4k, 1.25M."""
    if abs(step) >= 999_999.5:
        return f"{step / 1e6:.4g}M"
    return f"{step / 1e3:.6g}k" if abs(step) >= 1000 else f"{step:g}"


def stage(last_step: float) -> float:
    """The axis end for a run that has come this far: it grows in stages, so that columns stay where they are."""
    reach = max(float(SHORTEST_RANGE), last_step)
    power = 10.0 ** math.floor(math.log10(reach))
    return next(power * factor for factor in STAGES if power * factor >= reach)


@dataclass(frozen=True)
class StepWindow:
    """The steps start <= step < end that a chart shows."""

    start: float
    end: float

    @property
    def span(self) -> float:
        return self.end - self.start

    def edges(self, columns: int) -> npt.NDArray[np.float64]:
        """Column borders, shape (columns + 1,); a point at the very end belongs to the last column."""
        edges = np.linspace(self.start, self.end, columns + 1)
        edges[-1] = math.floor(self.end) + 1
        return edges

    def column_of(self, step: float, columns: int) -> int:
        """The column a step falls into; the window's end belongs to the last one. May lie outside."""
        column = math.floor((step - self.start) / self.span * columns)
        return columns - 1 if step == self.end else column

    def step_at(self, column: float, columns: int) -> float:
        return self.start + column / columns * self.span


def whole_run(first_step: float, last_step: float, total_steps: int | None) -> StepWindow:
    start = 0.0 if first_step <= last_step / 2 else float(first_step)
    end = stage(last_step - start) + start
    if total_steps is not None and last_step <= total_steps < end:
        end = float(total_steps)
    return StepWindow(start, max(end, start + 1))


@dataclass(frozen=True)
class LossRange:
    """The losses from bottom to top (nats/char) that a chart shows, on a linear or logarithmic axis."""

    bottom: float
    top: float
    log: bool = False

    def dot_heights(self, losses: npt.NDArray[np.floating], dot_rows: int) -> npt.NDArray[np.float64]:
        """Dot rows from the top (0) down; outside the raster where clipped, NaN where the loss is NaN."""
        values = losses.astype(np.float64)
        if self.log:
            values = np.log10(np.where(values > 0, values, np.nan))
        bottom, top = self._scaled(self.bottom), self._scaled(self.top)
        return np.asarray((top - values) / (top - bottom) * dot_rows)

    def ticks(self, count: int) -> list[float]:
        if not self.log or self.top / self.bottom < 2:
            return round_ticks(self.bottom, self.top, count)
        powers = range(math.floor(math.log10(self.bottom)), math.floor(math.log10(self.top)) + 1)
        candidates = [nice * 10.0**power for power in powers for nice in LOG_TICKS]
        inside = [tick for tick in candidates if self.bottom <= tick <= self.top * (1 + 1e-9)]
        return inside or round_ticks(self.bottom, self.top, count)

    def holds(self, low: float, high: float) -> bool:
        """Whether these losses lie inside and are not lost in it."""
        filled = (self._scaled(high) - self._scaled(low)) / (self._scaled(self.top) - self._scaled(self.bottom))
        smallest = self.top - self.bottom <= 4 * SMALLEST_UNIT
        return self.bottom <= low and high <= self.top and (filled >= LOOSE or smallest)

    def _scaled(self, loss: float) -> float:
        return math.log10(loss) if self.log else loss


SMALLEST_UNIT = 0.01  # nats/char: losses closer together than this are one line


def fitted(current: LossRange | None, low: float, high: float, log: bool) -> LossRange:
    """The range to draw losses low … high in: the current one while it serves, since a new one redraws everything."""
    if log:
        low, high = max(low, 1e-6), max(high, 1e-6)
    if current is not None and current.log == log and current.holds(low, high):
        return current
    margin = 0.04 * (high - low)
    unit = max(SMALLEST_UNIT, nice_step(max(high - low, SMALLEST_UNIT), 12))
    bottom = math.floor((low - margin) / unit) * unit
    top = math.ceil((high + margin) / unit) * unit
    if log:
        bottom = bottom if bottom > 0 else low / 1.1
    elif low >= 0:
        bottom = max(0.0, bottom)
    return LossRange(bottom, max(top, bottom + unit), log)
