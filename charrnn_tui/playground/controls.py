"""The playground's settings and its controls: their values, how they are shown, typed and stepped through."""

import math
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Final

from msgspec import Meta

from charrnn_tui.run.config import PlayDefaults, switch
from charrnn_tui.run.decoding import Count
from charrnn_tui.sampling.settings import SamplingSettings

Value = int | float | None  # None: the control is off, or has no limit

BIG_STEP: Final = 5
_LARGEST_SEED: Final = (1 << 63) - 1


@dataclass(frozen=True)
class PlaySettings:
    """How the playground writes. speed: chars/s, None: as fast as possible. length: chars to a text, None: no limit.

    replay: whether a change rewrites the whole text from the prime, instead of acting on the next character.
    """

    top_k: int | None = 5
    temperature: float = 0.8
    top_p: float | None = None
    min_p: float | None = None
    seed: Count = 42
    replay: bool = False
    speed: Annotated[int, Meta(ge=1)] | None = 60
    length: Annotated[int, Meta(ge=1)] | None = 2000

    @property
    def sampling(self) -> SamplingSettings:
        """The part of the settings that the sampler is given."""
        return SamplingSettings(self.temperature, self.top_k, self.top_p, self.min_p)

    @property
    def description(self) -> str:
        """Such as `top-k 5 · temperature 0.80 · seed 42`; controls that are off are left out."""
        controls = (control for control in (TOP_K, TEMPERATURE, TOP_P, MIN_P, SEED) if control.value(self) is not None)
        return " · ".join(f"{control.name} {control.shown(self)}" for control in controls)


DEFAULTS: Final = PlaySettings()


def configured_settings(play: PlayDefaults) -> PlaySettings:
    """The settings that the user's file asks for."""
    return replace(DEFAULTS, **{name: switch(value) for name, value in vars(play).items()})


@dataclass(frozen=True)
class PlayControl:
    """One field of `PlaySettings` as a control. short: its name on narrow screens, empty if the value alone is enough.

    ladder: the values that ← → step through, from left to right; empty for a control that counts by one from 0 up.
    parse: of a value in lower case; raises ValueError with what is allowed.
    """

    field: str
    name: str
    short: str
    ladder: tuple[Value, ...]
    show: Callable[[Value], str]
    parse: Callable[[str], Value]

    def value(self, settings: PlaySettings) -> Value:
        found: Value = getattr(settings, self.field)
        return found

    def shown(self, settings: PlaySettings) -> str:
        """The value as the panel shows it, such as `0.80` or `off`."""
        return self.show(self.value(settings))

    def with_value(self, settings: PlaySettings, value: Value) -> PlaySettings:
        return replace(settings, **{self.field: value})  # type: ignore[arg-type]  # each control's parser and ladder fit its field

    def reset(self, settings: PlaySettings, defaults: PlaySettings = DEFAULTS) -> PlaySettings:
        """The settings with this control's default."""
        return self.with_value(settings, self.value(defaults))

    def step(self, settings: PlaySettings, by: int) -> PlaySettings:
        """The settings with this control moved by so many ladder values, to the left if negative; stops at the ends."""
        value = self.value(settings)
        if not self.ladder:
            return self.with_value(settings, max(0, min(_LARGEST_SEED, int(value or 0) + by)))
        place = self._place(value, by)
        return self.with_value(settings, self.ladder[max(0, min(len(self.ladder) - 1, place))])

    def typed(self, settings: PlaySettings, text: str) -> PlaySettings:
        """The settings with a typed value of this control. Raises ValueError, one line."""
        try:
            return self.with_value(settings, self.parse(text.strip().lower()))
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def _place(self, value: Value, by: int) -> int:
        """The ladder index `by` steps away; from a value between two rungs, the first step goes to one of them."""
        if value in self.ladder:
            return self.ladder.index(value) + by
        assert value is not None  # every ladder of a control that can be off has None in it
        numbers = [number for number in self.ladder if number is not None]  # rising
        place = self.ladder.index(numbers[0]) + bisect(numbers, value)
        return place + by - (by > 0)


def _whole(least: int, off: str | None) -> Callable[[str], Value]:
    """A parser of whole numbers from `least` up. off: the word for None, if None is a value."""

    def parse(text: str) -> Value:
        if off is not None and text in ("", "off", "none", off):
            return None
        digits = text.removesuffix("/s").removesuffix("chars").replace(",", "").replace("_", "").strip()
        number = int(digits) if digits.isdecimal() and len(digits) < 20 else -1
        if not least <= number <= _LARGEST_SEED:
            raise ValueError(f"a whole number from {least} up" + (f", or {off}" if off else ""))
        return number

    return parse


def _real(most: float, off: bool) -> Callable[[str], Value]:
    """A parser of numbers from 0 to `most`. off: whether None is a value."""

    def parse(text: str) -> Value:
        if off and text in ("", "off", "none"):
            return None
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            number = -1.0
        if not 0 <= number <= most or math.isinf(number):
            upper = f"from 0 to {most:g}" if most < math.inf else "0 or more"
            raise ValueError(f"a number, {upper}" + (", or off" if off else ""))
        return number

    return parse


def _show_real(value: Value) -> str:
    if value is None:
        return "off"
    return f"{value:.2f}" if round(value, 2) == value else f"{value:g}"


def _show_count(value: Value) -> str:
    return "off" if value is None else f"{value:,}"


def _show_switch(value: Value) -> str:
    return "on" if value else "off"


def _parse_switch(text: str) -> Value:
    if text not in ("on", "off"):
        raise ValueError("on, or off")
    return text == "on"


def _show_length(value: Value) -> str:
    return "no limit" if value is None else f"{value:,} chars"


def _show_speed(value: Value) -> str:
    return "unlimited" if value is None else f"{value:,}/s"


def _steps(first: int, last: int, by: int) -> tuple[float, ...]:
    return tuple(number / 100 for number in range(first, last, by))


TOP_K: Final = PlayControl("top_k", "top-k", "top-k", (1, 2, 3, 5, 10, 20, 50, None), _show_count, _whole(1, "off"))
TEMPERATURE: Final = PlayControl(
    "temperature", "temperature", "T", _steps(0, 205, 5), _show_real, _real(math.inf, off=False)
)
TOP_P: Final = PlayControl("top_p", "top-p", "top-p", (*_steps(5, 100, 5), 0.99, None), _show_real, _real(1, off=True))
MIN_P: Final = PlayControl(
    "min_p", "min-p", "min-p", (None, 0.01, 0.02, *_steps(5, 55, 5)), _show_real, _real(1, off=True)
)
SEED: Final = PlayControl("seed", "seed", "seed", (), str, _whole(0, None))
REPLAY: Final = PlayControl("replay", "replay", "↻", (False, True), _show_switch, _parse_switch)
SPEED: Final = PlayControl(
    "speed", "speed", "", (1, 2, 5, 10, 20, 30, 60, 120, 250, 500, 1000, None), _show_speed, _whole(1, "unlimited")
)
LENGTH: Final = PlayControl(
    "length", "length", "", (200, 500, 1000, 2000, 5000, 10_000, 50_000, None), _show_length, _whole(1, "no limit")
)
CONTROLS: Final = (TOP_K, TEMPERATURE, TOP_P, MIN_P, SEED, REPLAY, SPEED, LENGTH)
SAMPLING_FIELDS: Final = frozenset({"top_k", "temperature", "top_p", "min_p"})
