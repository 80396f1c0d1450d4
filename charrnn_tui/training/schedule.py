"""The learning rate over the steps of a run."""

import math

WARM_UP = 0.1  # share of the steps, linear; then down along a cosine (one-cycle, Smith & Topin 2018)
FLOOR = 0.01  # share of the peak at the end of the cosine


def learning_rate(schedule: str, peak: float, step: int, steps: int) -> float:
    """The learning rate of step `step` of `steps`, counted from 0."""
    if schedule == "constant":
        return peak
    rising = max(1, round(WARM_UP * steps))
    if step < rising:
        return peak * (step + 1) / rising
    done = min(1.0, (step - rising) / max(1, steps - rising - 1))
    return peak * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2)
