"""The settings of a training, with their ranges and presets."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")
SCHEDULES = ("constant", "one-cycle")
ON_HANGUP = ("continue", "checkpoint-and-stop")


class SettingsError(ValueError):
    """A setting is out of its range; `field` is its name, the message is one line."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{option(field)}: {message}")


def option(field: str) -> str:
    """A field as a command-line option."""
    return "--" + field.replace("_", "-")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Settings of a run; the defaults are the notebook's (cells 30 to 33).

    lr: Adam's learning rate, its peak under the one-cycle schedule. clip: largest gradient norm. val_frac: share of
    the text held out at its end. val_chars: how many of these characters a validation reads at most, from the start of
    each row of a batch. print_every: steps between validations. forget_bias: added to the forget gates' initial bias
    (Jozefowicz et al. 2015). output_bias: whether the output's bias starts at the characters' log frequencies.
    weight_drop: dropout of the recurrent weights, drawn anew each step (Merity et al. 2018). weight_decay: of AdamW
    (Loshchilov & Hutter 2019); 0 is Adam. threads: None chooses by a short trial. keep_checkpoints: how many models a
    run's history keeps at most. on_hangup: what to do when the terminal is lost.
    """

    preset: str = "notebook"
    encoding: str = "utf-8"
    n_hidden: int = 512
    n_layers: int = 2
    drop_prob: float = 0.5
    epochs: int = 20
    batch_size: int = 128
    seq_length: int = 100
    lr: float = 0.001
    clip: float = 5.0
    val_frac: float = 0.1
    val_chars: int = 1_000_000
    print_every: int = 20
    schedule: str = "constant"
    weight_drop: float = 0.0
    weight_decay: float = 0.0
    forget_bias: float = 0.0
    output_bias: bool = False
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    max_steps: int | None = None
    keep_checkpoints: int = 24
    sample_prime: str = ""
    sample_length: int = 300
    sample_top_k: int = 5
    sample_seed: int = 0
    on_hangup: str = "continue"

    def __post_init__(self) -> None:
        """Raise SettingsError for the first field out of its range."""
        for field, (low, high) in _WHOLE.items():
            self._check_whole(field, low, high)
        for field, (least, most, open_end) in _REAL.items():
            self._check_real(field, least, most, open_end)
        for field, allowed in _CHOICES.items():
            if getattr(self, field) not in allowed:
                raise SettingsError(field, f"{getattr(self, field)!r} is not one of {', '.join(allowed)}")

    def _check_whole(self, field: str, low: int, high: int) -> None:
        value = getattr(self, field)
        if value is None and field in _OPTIONAL:
            return
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SettingsError(field, f"{value!r} is not a whole number from {low:,} to {high:,}")

    def _check_real(self, field: str, least: float, most: float, open_end: bool) -> None:
        value = getattr(self, field)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not least <= value <= most or (open_end and value in (least, most)):
            ends = "between" if open_end else "from"
            raise SettingsError(
                field, f"{value!r} is not a number {ends} {least:g} {'and' if open_end else 'to'} {most:g}"
            )

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for settings.json and the RunStarted event."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainSettings":
        """The settings of any version: unknown names are ignored."""
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


_WHOLE: dict[str, tuple[int, int]] = {
    "n_hidden": (1, 16_384),
    "n_layers": (1, 64),
    "epochs": (1, 1_000_000),
    "batch_size": (1, 1_000_000),
    "seq_length": (1, 1_000_000),
    "val_chars": (1, 10**12),
    "print_every": (1, 1_000_000_000),
    "seed": (0, 2**63 - 1),
    "threads": (1, 1024),
    "max_steps": (1, 10**12),
    "keep_checkpoints": (0, 10_000),
    "sample_length": (0, 100_000),
    "sample_top_k": (1, 1_000_000),
    "sample_seed": (0, 2**63 - 1),
}
_OPTIONAL = ("threads", "max_steps")
_REAL: dict[str, tuple[float, float, bool]] = {  # least, most, whether these themselves are excluded
    "drop_prob": (0.0, 0.99, False),
    "lr": (0.0, 10.0, True),
    "clip": (0.0, 1e6, True),
    "val_frac": (0.0, 0.9, False),
    "weight_drop": (0.0, 0.99, False),
    "weight_decay": (0.0, 10.0, False),
    "forget_bias": (-10.0, 10.0, False),
}

_QUICK: dict[str, Any] = {
    "epochs": 6,
    "batch_size": 32,
    "lr": 0.003,
    "clip": 1.0,
    "drop_prob": 0.2,
    "weight_drop": 0.1,
    "print_every": 550,  # about once an epoch of the notebook's text
    "schedule": "one-cycle",
    "weight_decay": 0.01,
    "forget_bias": 1.0,
    "output_bias": True,
}

# Measured on the notebook's text: see benchmarks/results. `quick` has the notebook's model, reaches its loss in 1/20 of
# its time and ends after 1/10; `thorough` trains, with more dropout, until the loss hardly falls any more.
PRESETS: dict[str, dict[str, Any]] = {
    "notebook": {
        "print_every": 100
    },  # at the notebook's 20, validations take a quarter of the time; losses are the same
    "quick": _QUICK,
    "thorough": _QUICK | {"epochs": 14, "weight_drop": 0.2},
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "preset": tuple(PRESETS),
    "device": DEVICES,
    "precision": PRECISIONS,
    "schedule": SCHEDULES,
    "on_hangup": ON_HANGUP,
}


def settings_for(preset: str, **given: Any) -> TrainSettings:
    """A preset's settings; values given explicitly (not None) replace the preset's. Raises SettingsError."""
    if preset not in PRESETS:
        raise SettingsError("preset", f"{preset!r} is not one of {', '.join(PRESETS)}")
    explicit = {name: value for name, value in given.items() if value is not None}
    return TrainSettings(**({"preset": preset} | PRESETS[preset] | explicit))


@dataclass(frozen=True)
class RunRequest:
    """corpus: text files, in order. name: None names the run after the text and a counter.

    rarely_validated: whether `print_every` may be raised for a long text.
    """

    corpus: tuple[str, ...]
    settings: TrainSettings
    name: str | None = None
    rarely_validated: bool = False
