"""The sampling settings."""

import sys
from dataclasses import dataclass
from typing import Final

from charrnn_tui.sampling.pins import Pin, parse_pins

# The shipped model at temperature 0 loops (81 % of its 20-grams are repetitions). With --dry 0.8 it does not, and from
# 12 on all its words are words of the novel; at 8 or 6 about one in a hundred ends before its end.
DRY_LENGTH: Final = 12


@dataclass(frozen=True)
class SamplingSettings:
    """How the next character is chosen. None switches a setting off.

    ban: characters that are never written. only: those that nothing else is written than. dry: the multiplier of the
    penalty on repetition (adjusted_logits.py), dry_length: the characters that may be repeated without one. These act
    on the logits; the others follow in this order:

    temperature: divides the logits; 0 always takes the likeliest token.
    top_k: keep the k likeliest tokens, at least 1 (notebook cell 38: `top_k`).
    top_p: keep the fewest likeliest tokens whose probabilities add up to p, at least one.
    min_p: keep the tokens with at least p times the largest probability.
    pin: units of the network that are held at a value from the next character on, in the words of `parse_pins`.
    Raises ValueError naming the setting, its value and its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    dry: float | None = None
    dry_length: int = DRY_LENGTH
    ban: str | None = None
    only: str | None = None
    pin: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= sys.float_info.max:  # of a whole number beyond it there is no float
            raise ValueError(f"temperature is {self.temperature}, it must be 0 or more and finite")
        if self.top_k is not None and (not isinstance(self.top_k, int) or self.top_k < 1):
            raise ValueError(f"top_k is {self.top_k}, it must be a whole number from 1 up, or none")
        for name, share in (("top_p", self.top_p), ("min_p", self.min_p)):
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} is {share}, it must be from 0 to 1, or none")
        if self.dry is not None and not 0 <= self.dry <= sys.float_info.max:
            raise ValueError(f"dry is {self.dry}, it must be 0 or more and finite, or none")
        if not isinstance(self.dry_length, int) or self.dry_length < 1:
            raise ValueError(f"dry_length is {self.dry_length}, it must be a whole number from 1 up")
        for name, characters in (("ban", self.ban), ("only", self.only)):
            if characters == "":
                raise ValueError(f"{name} is empty, it must be one character or more, or none")
        if self.pin is not None:
            parse_pins(self.pin)

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The units that are held."""
        return () if self.pin is None else parse_pins(self.pin)

    @property
    def adjusts_logits(self) -> bool:
        """Whether anything acts on the logits before temperature."""
        return bool(self.dry) or self.ban is not None or self.only is not None


PLAIN = SamplingSettings()
