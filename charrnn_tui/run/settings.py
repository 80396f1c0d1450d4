"""The settings of a training, with their ranges and presets."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict, cast, get_args, get_type_hints

from msgspec import Meta

from charrnn_tui.run.decoding import DecodingError, convert, readable

Preset = Literal["notebook", "quick", "thorough"]
Device = Literal["auto", "cpu", "cuda", "mps", "xpu"]
Precision = Literal["auto", "float32", "bfloat16"]
Schedule = Literal["constant", "one-cycle"]
OnHangup = Literal["continue", "checkpoint-and-stop"]
DEVICES, PRECISIONS, SCHEDULES, ON_HANGUP = map(get_args, (Device, Precision, Schedule, OnHangup))


class SettingsError(ValueError):
    """A setting is out of its range; `field` is its name, the message is one line."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{option(field)}: {message}")


def option(field: str) -> str:
    """A field as a command-line option."""
    return "--" + field.replace("_", "-")


def _whole(low: int, high: int) -> Meta:
    return Meta(ge=low, le=high, description=f"a whole number from {low:,} to {high:,}")


def _real(low: float, high: float) -> Meta:
    return Meta(ge=low, le=high, description=f"a number from {low:g} to {high:g}")


def _between(low: float, high: float) -> Meta:
    return Meta(gt=low, lt=high, description=f"a number between {low:g} and {high:g}")


_WEIGHTS = Meta(
    pattern=r"^(|[1-9][0-9]{0,2}(,[1-9][0-9]{0,2})*)$", description="whole numbers from 1 to 999 such as 3,1"
)


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Settings of a run; the defaults are the notebook's (cells 30 to 33).

    skip_head, skip_tail: characters of the text that are left out, at its beginning and at its end. min_count:
    characters that occur less often become one. weights: `3,1`: how often an epoch reads each file, "" for once.
    init_from: file of the model whose weights the training starts from; alphabet: the characters of that model, in
    its order, which come first in the alphabet. old_text: file of a text whose end validations read, too. lr: Adam's
    learning rate, its peak under the one-cycle schedule. clip: largest gradient norm. val_frac: share of the text
    held out at its end. val_chars: how many of these characters a validation reads at most, from the start of each
    row of a batch. print_every: steps between validations. forget_bias: added to the forget gates' initial bias
    (Jozefowicz et al. 2015). output_bias: whether the output's bias starts at the characters' log frequencies.
    weight_drop: dropout of the recurrent weights, drawn anew each step (Merity et al. 2018). exact_dropout: whether
    dropout in float32 draws its random numbers as PyTorch's, which takes longer. weight_decay: of AdamW (Loshchilov &
    Hutter 2019); 0 is Adam. budget: seconds that the run may take, by which epochs and max_steps are corrected while
    it trains. patience: end after so many validations in a row without a lower loss. threads: None chooses by a short
    trial. ranks: processes that share the rows of each batch. keep_checkpoints: how many models a run's history keeps
    at most. on_hangup: what to do when the terminal is lost.
    """

    preset: Preset = "notebook"
    encoding: str = "utf-8"
    skip_head: Annotated[int, _whole(0, 10**12)] = 0
    skip_tail: Annotated[int, _whole(0, 10**12)] = 0
    min_count: Annotated[int, _whole(1, 10**12)] = 1
    weights: Annotated[str, _WEIGHTS] = ""
    init_from: str = ""
    alphabet: str = ""
    old_text: str = ""
    n_hidden: Annotated[int, _whole(1, 16_384)] = 512
    n_layers: Annotated[int, _whole(1, 64)] = 2
    drop_prob: Annotated[float, _real(0, 0.99)] = 0.5
    epochs: Annotated[int, _whole(1, 1_000_000)] = 20
    batch_size: Annotated[int, _whole(1, 1_000_000)] = 128
    seq_length: Annotated[int, _whole(1, 1_000_000)] = 100
    lr: Annotated[float, _between(0, 10)] = 0.001
    clip: Annotated[float, _between(0, 1e6)] = 5.0
    val_frac: Annotated[float, _real(0, 0.9)] = 0.1
    val_chars: Annotated[int, _whole(1, 10**12)] = 1_000_000
    print_every: Annotated[int, _whole(1, 1_000_000_000)] = 20
    schedule: Schedule = "constant"
    weight_drop: Annotated[float, _real(0, 0.99)] = 0.0
    exact_dropout: bool = True
    weight_decay: Annotated[float, _real(0, 10)] = 0.0
    forget_bias: Annotated[float, _real(-10, 10)] = 0.0
    output_bias: bool = False
    seed: Annotated[int, _whole(0, 2**63 - 1)] = 0
    device: Device = "auto"
    precision: Precision = "auto"
    threads: Annotated[int, _whole(1, 1024)] | None = None
    ranks: Annotated[int, _whole(1, 1024)] = 1
    max_steps: Annotated[int, _whole(1, 10**12)] | None = None
    budget: Annotated[float, Meta(ge=1, le=365 * 86400, description="a time from 1s to 365d")] | None = None
    patience: Annotated[int, _whole(1, 1_000_000)] | None = None
    keep_checkpoints: Annotated[int, _whole(0, 10_000)] = 24
    sample_prime: str = ""
    sample_length: Annotated[int, _whole(0, 100_000)] = 300
    sample_top_k: Annotated[int, _whole(1, 1_000_000)] = 5
    sample_seed: Annotated[int, _whole(0, 2**63 - 1)] = 0
    on_hangup: OnHangup = "continue"

    def __post_init__(self) -> None:
        """Raise SettingsError for the first field of another type or out of its range, or that another one excludes."""
        for field, kind in SETTINGS_TYPES.items():
            try:
                convert(getattr(self, field), kind)
            except DecodingError:
                raise SettingsError(field, f"{getattr(self, field)!r} is not {_description(kind)}") from None
        if self.batch_size % self.ranks:
            fits = self.batch_size - self.batch_size % self.ranks or self.ranks
            problem = f"{self.ranks} ranks cannot share {self.batch_size} rows of a batch equally"
            raise SettingsError("ranks", f"{problem}; choose a --batch-size that they can, such as {fits}")
        if self.encoding == "bytes" and self.min_count > 1:
            raise SettingsError("min_count", f"{self.min_count} is for characters; bytes are all kept: leave it out")
        if self.patience is not None and not self.val_frac:
            raise SettingsError("patience", "counts validations, and --val-frac 0 leaves no text for them")

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for settings.json and the RunStarted event."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainSettings":
        """The settings of any version: unknown names are ignored."""
        return cls(**{name: value for name, value in values.items() if name in SETTINGS_TYPES})


SETTINGS_TYPES: dict[str, Any] = get_type_hints(TrainSettings, include_extras=True)


def _description(kind: Any) -> str:
    """What values a field may have."""
    for part in (kind, *get_args(kind)):
        if hasattr(part, "__metadata__"):
            return str(part.__metadata__[0].description)
    return f"one of {', '.join(get_args(kind))}" if get_args(kind) else f"of type {kind.__name__}"


_QUICK: dict[str, Any] = {
    "epochs": 6,
    "batch_size": 32,
    "lr": 0.009,
    "clip": 1.0,
    "drop_prob": 0.2,
    "weight_drop": 0.1,
    "print_every": 550,  # about once an epoch of the notebook's text
    "schedule": "one-cycle",
    "weight_decay": 0.05,
    "forget_bias": 1.0,
    "output_bias": True,
    "exact_dropout": False,
}

# Measured on the notebook's text: see benchmarks/results. `quick` has the notebook's model, reaches its loss in 1/20 of
# its time and ends after 1/10; `thorough` trains for longer, until the loss hardly falls any more.
PRESETS: dict[str, dict[str, Any]] = {
    # At the notebook's 20, validations take a quarter of the time; losses are the same.
    "notebook": {"print_every": 100},
    "quick": _QUICK,
    "thorough": _QUICK | {"epochs": 14},
}
DEFAULT_PRESET: Preset = "quick"


def settings_for(preset: str, **given: Any) -> TrainSettings:
    """A preset's settings; values given explicitly (not None) replace the preset's. Raises SettingsError."""
    if preset not in PRESETS:
        raise SettingsError("preset", f"{preset!r} is not one of {', '.join(PRESETS)}")
    explicit = {name: value for name, value in given.items() if value is not None}
    return TrainSettings(**({"preset": preset} | PRESETS[preset] | explicit))


class StoredRequest(TypedDict, total=False):
    """The contents of settings.json: what a run was asked for.

    corpus: absolute paths. settings: in JSON. torchrun: the job that trains the run, as in `Torchrun`.
    """

    name: str
    corpus: list[str]
    corpus_sha256: str
    settings: dict[str, Any]
    version: str
    torchrun: str


def read_request(values: Any) -> StoredRequest:
    """What was stored, without whatever has another type or is out of its range."""
    kept, _ = readable(values, get_type_hints(StoredRequest))
    if "settings" in kept:
        kept["settings"], _ = readable(kept["settings"], SETTINGS_TYPES)
    return cast(StoredRequest, kept)


@dataclass(frozen=True)
class RunRequest:
    """corpus: text files, in order. name: None names the run after the text and a counter.

    given: the settings that were asked for by name; the others are fitted to the text. None: so they are already.
    """

    corpus: tuple[str, ...]
    settings: TrainSettings
    name: str | None = None
    given: frozenset[str] | None = None
