"""How to choose what comes next. The standard library only: the playground's controls are there before NumPy is."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class SamplingSettings:
    """How to choose the next character. None switches a control off.

    temperature: 0 (the likeliest, always) or more; below 1 bolder in what is likely, above 1 more even.
    top_k: keep the k likeliest, at least 1; more than there are keeps all (notebook cell 38: `top_k`).
    top_p: keep the fewest likeliest whose mass reaches p, and never none. min_p: keep what has p times the largest.
    Raises ValueError naming the setting, its value and its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= sys.float_info.max:  # of a whole number beyond it there is no float
            raise ValueError(f"temperature is {self.temperature}, it must be 0 or more and finite")
        if self.top_k is not None and (not isinstance(self.top_k, int) or self.top_k < 1):
            raise ValueError(f"top_k is {self.top_k}, it must be a whole number from 1 up, or none")
        for name, share in (("top_p", self.top_p), ("min_p", self.min_p)):
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} is {share}, it must be from 0 to 1, or none")


PLAIN = SamplingSettings()
