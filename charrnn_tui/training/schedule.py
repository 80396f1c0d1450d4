"""The learning rate over a run."""

import math

WARM_UP = 0.1  # of the run's steps, then down along a cosine: the one-cycle shape of Smith & Topin 2018
FLOOR = 0.01  # of the peak, where the cosine ends


def learning_rate(schedule: str, peak: float, step: int, steps: int) -> float:
    """The rate for the `step`-th of `steps` steps, counted from 0."""
    if schedule == "constant":
        return peak
    rising = max(1, round(WARM_UP * steps))
    if step < rising:
        return peak * (step + 1) / rising
    done = min(1.0, (step - rising) / max(1, steps - rising - 1))
    return peak * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2)
