"""What a user may set in config.toml: its keys, their types and their defaults."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec
from msgspec import Meta

from charrnn_tui.run.settings import DEFAULT_PRESET, ON_HANGUP, PRESETS, OnHangup, Preset

Off = Literal["off"]
Auto = Literal["auto"]
Value = bool | int | float | str

DEFAULT_THEME: Final = "okabe-ito"


def _key(help: str, values: str, ge: float | None = None, le: float | None = None) -> Meta:
    """help: a sentence for the file and the documentation. values: what is allowed, for messages."""
    return Meta(ge=ge, le=le, description=help, extra={"values": values})


_ON_OFF: Final = "true or false"
_AUTO: Final = 'true, false or "auto"'
_SHARE: Final = 'a number from 0 to 1, or "off"'
_COUNT: Final = 'a whole number from 1 up, or "off"'
_AtLeast1 = Annotated[int, Meta(ge=1, le=2**63 - 1)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_TEMPERATURE: Final = _key(
    "Below 1 favours likely characters, above 1 unlikely ones; 0 always takes the most likely one.",
    "a number, 0 or more",
    ge=0,
    le=1e300,
)
_TOP_K: Final = _key("Choose among so many most likely characters.", _COUNT)
_TOP_P: Final = _key("Choose among the fewest most likely characters whose probabilities add up to this.", _SHARE)
_MIN_P: Final = _key("Choose among characters with at least this times the largest probability.", _SHARE)


@dataclass(frozen=True)
class TrainDefaults:
    """The table [train]: of new runs, by `train` and by the form of the app."""

    preset: Annotated[Preset, _key("Where settings that are not given come from.", f"one of {', '.join(PRESETS)}")] = (
        DEFAULT_PRESET
    )
    on_hangup: Annotated[
        OnHangup,
        _key("When the terminal is lost: continue without it, or save and stop.", f"one of {', '.join(ON_HANGUP)}"),
    ] = "continue"


@dataclass(frozen=True)
class SampleDefaults:
    """The table [sample]: of the command `sample`."""

    temperature: Annotated[float, _TEMPERATURE] = 1.0
    top_k: Annotated[_AtLeast1 | Off, _TOP_K] = "off"
    top_p: Annotated[_Share | Off, _TOP_P] = "off"
    min_p: Annotated[_Share | Off, _MIN_P] = "off"
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=2**63 - 1)] | Literal["random"],
        _key("The same seed writes the same text.", 'a whole number from 0 up, or "random"'),
    ] = "random"
    length: Annotated[int, _key("Characters to write.", "a whole number from 0 up", ge=0, le=2**63 - 1)] = 1000


@dataclass(frozen=True)
class PlayDefaults:
    """The table [play]: the controls of the playground when it opens, and what Backspace sets them to."""

    temperature: Annotated[float, _TEMPERATURE] = 0.8
    top_k: Annotated[_AtLeast1 | Off, _TOP_K] = 5
    top_p: Annotated[_Share | Off, _TOP_P] = "off"
    min_p: Annotated[_Share | Off, _MIN_P] = "off"
    seed: Annotated[
        int, _key("The same seed writes the same text.", "a whole number from 0 up", ge=0, le=2**63 - 1)
    ] = 42
    length: Annotated[_AtLeast1 | Off, _key("Characters after which a text stops; off: none.", _COUNT)] = 2000
    speed: Annotated[_AtLeast1 | Off, _key("Characters per second; off: as fast as possible.", _COUNT)] = 60


@dataclass(frozen=True)
class Notifications:
    """The table [notifications]."""

    in_app: Annotated[bool, _key("Show alarms and the ends of runs in the app, and ring for alarms.", _ON_OFF)] = True
    terminal: Annotated[
        bool,
        _key("When a training ends: ring, set the terminal's title, ask for a desktop notification.", _ON_OFF),
    ] = True


@dataclass(frozen=True)
class Config:
    """The contents of the file. keymap: keys, separated by commas, by the id of what they do."""

    theme: Annotated[
        str, _key("The colours of the app: a name that the command palette lists under Theme.", "the name of a theme")
    ] = DEFAULT_THEME
    frames_per_second: Annotated[
        int,
        _key(
            "How often the app draws, at most; fewer need less of a slow line.",
            "a whole number from 1 to 240",
            ge=1,
            le=240,
        ),
    ] = 60
    low_bandwidth: Annotated[
        bool | Auto, _key("Draw a run less often; auto: over SSH, as --low-bandwidth does anywhere.", _AUTO)
    ] = "auto"
    ascii: Annotated[
        bool | Auto,
        _key("Draw with ASCII characters only; auto: where the locale is not UTF-8, and on the Linux console.", _AUTO),
    ] = "auto"
    train: TrainDefaults = field(default_factory=TrainDefaults)
    sample: SampleDefaults = field(default_factory=SampleDefaults)
    play: PlayDefaults = field(default_factory=PlayDefaults)
    notifications: Notifications = field(default_factory=Notifications)
    keymap: Annotated[dict[str, str], _key("Other keys, by the id of what they do.", "keys, separated by commas")] = (
        field(default_factory=dict)
    )


KEYMAP: Final = "keymap"
DEFAULTS: Final = Config()


def switch(value: int | float | str) -> Any:
    """The value, or None for "off" and "random"."""
    return None if isinstance(value, str) else value


@dataclass(frozen=True)
class Key:
    """A key of the file. name: with its table, such as `play.top_k`. help: a sentence. values: what is allowed."""

    name: str
    kind: Any
    help: str
    values: str
    default: Value

    @property
    def table(self) -> str:
        return self.name.rpartition(".")[0]


def _keys_of(table: Any, prefix: str) -> Iterator[Key]:
    hints = get_type_hints(type(table), include_extras=True)
    for each in fields(table):
        value, kind = getattr(table, each.name), hints[each.name]
        if is_dataclass(value):
            yield from _keys_of(value, f"{prefix}{each.name}.")
        elif each.name != KEYMAP:
            meta = next(part for part in kind.__metadata__ if part.description)
            yield Key(prefix + each.name, kind, meta.description, meta.extra["values"], value)


KEYS: Final = {key.name: key for key in _keys_of(DEFAULTS, "")}
TABLES: Final = {
    each.name: type(value) for each in fields(Config) if is_dataclass(value := getattr(DEFAULTS, each.name))
}


def with_values(config: Config, values: Mapping[str, Any]) -> Config:
    """The settings with other values, by the names of KEYS or `keymap.` and an id."""
    for name, value in values.items():
        table, _, last = name.partition(".")
        if not last:
            config = replace(config, **{name: value})
        elif table == KEYMAP:
            config = replace(config, keymap=config.keymap | {last: value})
        else:
            config = replace(config, **{table: replace(getattr(config, table), **{last: value})})
    return config


def value_of(config: Config, name: str) -> Value:
    """The value of one of KEYS."""
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    found: Value = value
    return found


def json_schema() -> dict[str, Any]:
    """The JSON schema of the file, for editors."""
    schema = msgspec.json.schema(Config)
    for table in schema["$defs"].values():
        table["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "config.toml of charrnn-tui", **schema}
