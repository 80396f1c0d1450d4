"""Runs as charts are given them."""

from collections.abc import Iterable

import numpy as np

from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart.series import LossCurves


def add_losses(progress: RunProgress, steps: Iterable[int], losses: Iterable[float]) -> None:
    """More training losses of a run."""
    progress.steps.extend(map(int, steps))
    progress.losses.extend(map(float, losses))
    progress.version += 1


def add_validations(progress: RunProgress, steps: Iterable[int], losses: Iterable[float]) -> None:
    progress.val_steps.extend(map(int, steps))
    progress.val_losses.extend(map(float, losses))
    progress.version += 1


def run_of(steps: Iterable[int] = (), losses: Iterable[float] = ()) -> RunProgress:
    progress = RunProgress()
    add_losses(progress, steps, losses)
    return progress


def falling_run(points: int = 2000) -> RunProgress:
    """4.3 to 1.3 nats/char, the raw losses 0.1 to either side; a validation every 100 steps, 0.1 above."""
    steps = np.arange(1, points + 1)
    losses = 1.3 + 3 * np.exp(-steps / 300)
    progress = run_of(steps, losses + 0.1 * (-1.0) ** steps)
    add_validations(progress, steps[99::100], losses[99::100] + 0.1)
    return progress


def falling(points: int = 2000) -> LossCurves:
    return LossCurves.of(falling_run(points))
