"""The playground's settings and its controls: their values, how they are shown, typed and stepped through."""

import math
import re
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Final

from msgspec import Meta

from charrnn_tui.run.config import PlayDefaults, switch
from charrnn_tui.run.decoding import Count
from charrnn_tui.sampling.adjusted_logits import check_characters
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.pins import check_pins, parse_pins
from charrnn_tui.sampling.settings import DRY_LENGTH, SamplingSettings
from charrnn_tui.sampling.stops import NEVER, Stop
from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary

Value = int | float | str | None  # None: the control is off, or has no limit

BIG_STEP: Final = 5
_LARGEST_SEED: Final = (1 << 63) - 1


@dataclass(frozen=True)
class PlaySettings:
    """How the playground writes. speed: chars/s, None: as fast as possible. length: chars to a text, None: no limit.

    replay: whether a change rewrites the whole text from the prime, instead of acting on the next character. stop: what
    ends a text before that, such as a line feed. dry, dry_length, ban, only, pin: as in SamplingSettings.
    """

    top_k: int | None = 5
    temperature: float = 0.8
    top_p: float | None = None
    min_p: float | None = None
    seed: Count = 42
    replay: bool = False
    speed: Annotated[int, Meta(ge=1)] | None = 60
    length: Annotated[int, Meta(ge=1)] | None = 2000
    stop: Annotated[str, Meta(min_length=1)] | None = None
    dry: float | None = None
    dry_length: int = DRY_LENGTH
    ban: str | None = None
    only: str | None = None
    pin: str | None = None

    @property
    def sampling(self) -> SamplingSettings:
        """The part of the settings that the sampler is given."""
        drawn = self.temperature, self.top_k, self.top_p, self.min_p
        return SamplingSettings(*drawn, self.dry, self.dry_length, self.ban, self.only, self.pin)

    @property
    def end(self) -> Stop:
        """Where a text ends before its length."""
        return NEVER if self.stop is None else Stop((self.stop,))

    def check(self, vocabulary: Vocabulary, network: CharModel) -> None:
        """Raise ValueError, one line, where a typed control asks for what this model has not, or leaves nothing."""
        check_characters(self.sampling, vocabulary)
        check_pins(self.sampling.pins, network.n_layers, network.n_hidden)
        if self.stop is not None and (unknown := vocabulary.unknown(self.stop)):
            raise ValueError(f"stop has characters {UnknownCharacters(unknown)}")

    @property
    def description(self) -> str:
        """Such as `top-k 5 · temperature 0.80 · seed 42`; controls that are off are left out."""
        named = (TOP_K, TEMPERATURE, TOP_P, MIN_P, DRY, BAN, ONLY, PIN, SEED)
        return " · ".join(f"{each.name} {each.shown(self)}" for each in named if each.value(self) is not None)


DEFAULTS: Final = PlaySettings()


def configured_settings(play: PlayDefaults) -> PlaySettings:
    """The settings that the user's file asks for."""
    return replace(DEFAULTS, **{name: switch(value) for name, value in vars(play).items()})


@dataclass(frozen=True)
class PlayControl:
    """One field of `PlaySettings` as a control. short: its name on narrow screens, empty if the value alone is enough.

    ladder: the values that ← → step through, from left to right; empty for a control that counts by one from 0 up.
    A text that is typed lies behind them. parse: of what was typed; raises ValueError with what is allowed.
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
        if isinstance(value, str) and value not in self.ladder and by > 0:
            return settings
        place = self._place(value, by)
        return self.with_value(settings, self.ladder[max(0, min(len(self.ladder) - 1, place))])

    def typed(self, settings: PlaySettings, text: str) -> PlaySettings:
        """The settings with a typed value of this control. Raises ValueError, one line."""
        try:
            return self.with_value(settings, self.parse(text))
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def _place(self, value: Value, by: int) -> int:
        """The ladder index `by` steps away; from a value between two rungs, the first step goes to one of them."""
        if value in self.ladder:
            return self.ladder.index(value) + by
        if isinstance(value, str):
            return len(self.ladder) + by
        assert value is not None  # every ladder of a control that can be off has None in it
        numbers = [number for number in self.ladder if isinstance(number, (int, float))]  # rising
        place = self.ladder.index(numbers[0]) + bisect(numbers, value)
        return place + by - (by > 0)


def _whole(least: int, off: str | None) -> Callable[[str], Value]:
    """A parser of whole numbers from `least` up. off: the word for None, if None is a value."""

    def parse(text: str) -> Value:
        text = text.strip().lower()
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
        text = text.strip().lower()
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
    number = float(value)
    return f"{number:.2f}" if round(number, 2) == number else f"{number:g}"


def _show_count(value: Value) -> str:
    return "off" if value is None else f"{value:,}"


def _show_switch(value: Value) -> str:
    return "on" if value else "off"


def _parse_switch(text: str) -> Value:
    text = text.strip().lower()
    if text not in ("on", "off"):
        raise ValueError("on, or off")
    return text == "on"


_ENDS: Final = {"line": "\n", "paragraph": "\n\n"}
_ESCAPE: Final = re.compile(r"\\([nrt\\]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def _show_text(value: Value) -> str:
    """In quotes, characters that cannot be seen as Python writes them."""
    if value is None:
        return "off"
    return '"' + "".join(c if c.isprintable() and c != "\\" else repr(c)[1:-1] for c in str(value)) + '"'


def _parse_text(text: str) -> Value:
    r"""What `_show_text` shows, or characters without quotes, where \n is a line feed."""
    if text.strip().lower() in ("", "off", "none") and not (text and text.isspace()):
        return None
    bare = text[1:-1] if len(text) > 2 and text[0] == text[-1] == '"' else text
    return _ESCAPE.sub(lambda found: found[0].encode().decode("unicode_escape"), bare)


def _show_stop(value: Value) -> str:
    return next((name for name, end in _ENDS.items() if end == value), _show_text(value))


def _parse_stop(text: str) -> Value:
    return _ENDS.get(text.strip().lower()) or _parse_text(text)


def _show_pin(value: Value) -> str:
    return "off" if value is None else str(value)


def _parse_pin(text: str) -> Value:
    if text.strip().lower() in ("", "off", "none"):
        return None
    try:
        parse_pins(text)
    except ValueError as error:
        raise ValueError(str(error).removeprefix("pin ")) from None
    return text.strip()


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
STOP: Final = PlayControl("stop", "stop", "stop", (None, *_ENDS.values()), _show_stop, _parse_stop)
DRY: Final = PlayControl("dry", "DRY", "DRY", (None, 0.2, 0.4, 0.8, 1.5, 3.0), _show_real, _real(math.inf, off=True))
BAN: Final = PlayControl("ban", "ban", "ban", (None,), _show_text, _parse_text)
ONLY: Final = PlayControl("only", "only", "only", (None,), _show_text, _parse_text)
PIN: Final = PlayControl("pin", "pin", "pin", (None,), _show_pin, _parse_pin)
CONTROLS: Final = (TOP_K, TEMPERATURE, TOP_P, MIN_P, DRY, BAN, ONLY, PIN, SEED, REPLAY, SPEED, STOP, LENGTH)
SAMPLING_FIELDS: Final = frozenset({"top_k", "temperature", "top_p", "min_p", "dry", "ban", "only", "pin"})
