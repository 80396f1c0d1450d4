"""The events of a training; every field is JSON-native.

A line of events.jsonl, and of `train --json`, is one event: its fields, its name in snake case as `event`, and `time`
in Unix seconds. Losses are in nats per character.
"""

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """time: Unix seconds. step: training steps done when it happened."""

    time: float
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """The model is built and the first step comes next. steps: planned for the whole run.

    lstm: on a CPU, whose layers train, and why: ours or PyTorch's. resumed_at_step: None for a new run; else earlier
    events after this step are void, because training repeats from there. detached: it has no terminal.
    """

    run: str = ""
    corpus: str = ""
    corpus_sha256: str = ""
    chars: int = 0
    tokens: int = 0
    parameters: int = 0
    device: str = ""
    device_name: str = ""
    precision: str = ""
    threads: int = 0
    lstm: str = ""
    epochs: int = 0
    steps: int = 0
    steps_per_epoch: int = 0
    pid: int = 0
    host: str = ""
    resumed_at_step: int | None = None
    detached: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StepDone(Event):
    """epoch: 1-based. seconds: of this step. train_seconds: all steps and validations so far, without pauses."""

    epoch: int
    loss: float
    grad_norm: float
    lr: float
    seconds: float
    chars_per_second: float
    train_seconds: float
    eta_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluated(Event):
    """A validation: the mean of its batch losses, with the batch geometry on which the mean depends.

    chars: how many were read; 0 in events of older versions.
    """

    epoch: int
    loss: float
    val_loss: float
    best_val_loss: float
    best: bool
    batch_size: int
    seq_length: int
    seconds: float
    chars: int = 0


@dataclass(frozen=True, kw_only=True)
class SampleWritten(Event):
    """Text generated at this step, with a fixed prime and seed, so that samples can be compared.

    requested: by a person; else it was due.
    """

    prime: str
    text: str
    seed: int
    top_k: int
    val_loss: float | None = None
    requested: bool = False


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Event):
    """kind: best, last, requested, or kept (in the history). file: its name in the run directory.

    val_loss: of the last validation.
    """

    kind: str
    file: str
    val_loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class RunPaused(Event):
    """The training is paused; its model stays in memory."""


@dataclass(frozen=True, kw_only=True)
class RunResumed(Event):
    """The training continues after a pause."""


@dataclass(frozen=True, kw_only=True)
class RunDetached(Event):
    """The training continues without the terminal that it was started from."""


@dataclass(frozen=True, kw_only=True)
class PlanChanged(Event):
    """The plan was changed on request. plan: `end after epoch`, `pause` or `more epochs`; at_step: when that is due.

    epochs, steps: now planned for the whole run.
    """

    plan: str
    at_step: int
    epochs: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class LearningRateChanged(Event):
    """factor: by which the schedule's learning rate is multiplied from now on."""

    lr: float
    factor: float


@dataclass(frozen=True, kw_only=True)
class AlarmRaised(Event):
    """Something that needs a person's attention. kind: nan, disk, …; the message is one line."""

    kind: str
    message: str


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """The last event of a training, until it is resumed.

    state: finished, stopped (asked to), interrupted (a signal) or failed.
    """

    state: str
    reason: str = ""
    train_seconds: float = 0.0
    val_loss: float | None = None
    best_val_loss: float | None = None


def event_name(kind: type[Event]) -> str:
    """StepDone → step_done."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_READS: dict[Any, Any] = {float: int | float, int: int, str: str, dict[str, Any]: dict}  # JSON has one type of number
_KINDS: dict[str, type[Event]] = {event_name(kind): kind for kind in Event.__subclasses__()}


def to_json(event: Event) -> dict[str, Any]:
    """The event as a JSON object; NaN and infinities, which JSON lacks, as null."""
    values: dict[str, Any] = {"event": event_name(type(event))}
    for name, value in dataclasses.asdict(event).items():
        values[name] = None if isinstance(value, float) and not math.isfinite(value) else value
    return values


def to_line(event: Event) -> str:
    """One line of events.jsonl, newline included."""
    return json.dumps(to_json(event), ensure_ascii=False, allow_nan=False) + "\n"


def from_json(values: Mapping[str, Any]) -> Event | None:
    """The event of a JSON object; None for one that this version does not know or cannot read.

    Unknown fields are ignored; null for a float is NaN.
    """
    kind = _KINDS.get(str(values.get("event")))
    if kind is None:
        return None
    arguments: dict[str, Any] = {}
    for spec in dataclasses.fields(kind):
        if spec.name in values:
            value = values[spec.name]
            if value is None and spec.type is float:
                value = math.nan
            if not isinstance(value, _READS.get(spec.type, object)):
                return None
            arguments[spec.name] = value
    try:
        return kind(**arguments)
    except TypeError:  # a field is missing: written by another version
        return None
