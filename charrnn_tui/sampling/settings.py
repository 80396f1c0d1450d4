"""The sampling settings."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class SamplingSettings:
    """How the next character is chosen; applied in this order. None switches a setting off.

    temperature: divides the logits; 0 always takes the likeliest token.
    top_k: keep the k likeliest tokens, at least 1 (notebook cell 38: `top_k`).
    top_p: keep the fewest likeliest tokens whose probabilities add up to p, at least one.
    min_p: keep the tokens with at least p times the largest probability.
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
