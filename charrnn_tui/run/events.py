"""The events of a training; every field is JSON-native.

A line of events.jsonl, and of `train --json`, is one event: its fields, its name in snake case as `event`, and `time`
in Unix seconds. Losses are in nats per character.
"""

import json
import math
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any, Final, Literal

import msgspec

from charrnn_tui.run.decoding import (
    Count,
    DecodingError,
    Finite,
    Seconds,
    convert,
    finite_or_null,
    read_json,
    readable,
    snake_case,
)
from charrnn_tui.run.settings import SETTINGS_TYPES

EndState = Literal["finished", "stopped", "interrupted", "failed"]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=snake_case):
    """time: Unix seconds. step: training steps done when it happened."""

    time: Seconds
    step: Count = 0


class RunStarted(Event, frozen=True, kw_only=True):
    """The model is built and the first step comes next. steps: planned for the whole run.

    ranks: how many processes train, each with so many threads.
    flops_per_char: floating-point operations in the matrix products of a training step. limit_gflops: the machine's
    limit, GFLOP/s of a large matrix product, measured before the first step; both 0 if unknown. lstm: on a CPU, whose
    layers train, and why: ours or PyTorch's. resumed_at_step: None for a new run; else earlier events after this step
    are void, because training repeats from there. detached: it has no terminal. bytes_per_char: in UTF-8, the mean over
    the text that validations read, or over the whole text where there are none. new_tokens: the characters that the
    model it starts from (`init_from`) does not have.
    """

    run: str = ""
    corpus: str = ""
    corpus_sha256: str = ""
    chars: Count = 0
    bytes_per_char: Finite | None = None
    tokens: Count = 0
    new_tokens: str = ""
    parameters: Count = 0
    device: str = ""
    device_name: str = ""
    precision: str = ""
    threads: Count = 0
    ranks: Count = 1
    flops_per_char: Count = 0
    limit_gflops: Finite = 0.0
    lstm: str = ""
    epochs: Count = 0
    steps: Count = 0
    steps_per_epoch: Count = 0
    pid: Count = 0
    host: str = ""
    resumed_at_step: Count | None = None
    detached: bool = False
    settings: dict[str, Any] = {}
    versions: dict[str, str] = {}


class StepDone(Event, frozen=True, kw_only=True):
    """epoch: 1-based. seconds: of this step. train_seconds: all steps and validations so far, without pauses."""

    epoch: Count
    loss: float
    grad_norm: float
    lr: Finite
    seconds: Seconds
    chars_per_second: Finite
    train_seconds: Seconds
    eta_seconds: Finite | None = None


class Evaluated(Event, frozen=True, kw_only=True):
    """A validation: the mean of its batch losses, with the batch geometry on which the mean depends.

    chars: how many were read; 0 in events of older versions. old_val_loss: of the end of `old_text`, in such batches.
    """

    epoch: Count
    loss: float
    val_loss: float
    best_val_loss: float
    best: bool
    batch_size: Count
    seq_length: Count
    seconds: Seconds
    chars: Count = 0
    old_val_loss: float | None = None


class SampleWritten(Event, frozen=True, kw_only=True):
    """Text generated at this step, with a fixed prime and seed, so that samples can be compared.

    requested: by a person; else it was due.
    """

    prime: str
    text: str
    seed: Count
    top_k: Count
    val_loss: float | None = None
    requested: bool = False


class CheckpointSaved(Event, frozen=True, kw_only=True):
    """kind: best, last, requested, or kept (in the history). file: its name in the run directory.

    val_loss: of the last validation.
    """

    kind: str
    file: str
    val_loss: float | None = None


class RunPaused(Event, frozen=True, kw_only=True):
    """The training is paused; its model stays in memory."""


class RunResumed(Event, frozen=True, kw_only=True):
    """The training continues after a pause."""


class RunDetached(Event, frozen=True, kw_only=True):
    """The training continues without the terminal that it was started from."""


class PlanChanged(Event, frozen=True, kw_only=True):
    """The plan was changed on request, or for the budget. at_step: when that is due.

    plan: `end after epoch`, `pause`, `more epochs` or `budget`. epochs, steps: now planned for the whole run.
    """

    plan: str
    at_step: Count
    epochs: Count
    steps: Count


class LearningRateChanged(Event, frozen=True, kw_only=True):
    """factor: by which the schedule's learning rate is multiplied from now on."""

    lr: Finite
    factor: Finite


NOT_SAVED: Final = "could not be saved"  # in the message of an alarm about a file of the run


class AlarmRaised(Event, frozen=True, kw_only=True):
    """Something that needs a person's attention. kind: nan, disk, …; the message is one line."""

    kind: str
    message: str


class SystemSampled(Event, frozen=True, kw_only=True):
    """The load of the machine during a training; None for what is unknown.

    cpu_percent: of all its cores. memory_bytes: resident, of the training's process. gpu_percent: of the time in which
    the training's GPU computed. gpu_celsius: its temperature.
    """

    cpu_percent: Finite | None = None
    memory_bytes: Count | None = None
    gpu_percent: Finite | None = None
    gpu_celsius: Finite | None = None


class RunFinished(Event, frozen=True, kw_only=True):
    """The last event of a training, until it is resumed.

    state: finished, stopped (asked to), interrupted (a signal) or failed.
    """

    state: EndState
    reason: str = ""
    train_seconds: Seconds = 0.0
    val_loss: float | None = None
    best_val_loss: float | None = None


_KINDS = {snake_case(kind.__name__): kind for kind in Event.__subclasses__()}
_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(reduce(or_, Event.__subclasses__()))


def to_json(event: Event) -> dict[str, Any]:
    """The event as a JSON object; NaN and infinities, which JSON lacks, as null."""
    return finite_or_null(msgspec.to_builtins(event))


def to_line(event: Event) -> str:
    """One line of events.jsonl, newline included."""
    return json.dumps(to_json(event), ensure_ascii=False, allow_nan=False) + "\n"


def from_json(values: Mapping[str, Any]) -> Event | None:
    """The event of a JSON object; None for one that this version does not know or cannot read.

    Unknown fields are ignored; null for a loss or a gradient's norm is NaN.
    """
    kind = _KINDS.get(str(values.get("event")))
    if kind is None:
        return None
    floats = [field.name for field in msgspec.structs.fields(kind) if field.type is float]
    lost = {name: math.nan for name in floats if values.get(name, 0.0) is None}
    try:
        return _with_settings(convert({**values, **lost}, kind))
    except DecodingError:
        return None


def _with_settings(event: Event) -> Event:
    """A run's settings without those that are unknown or have another type."""
    if not isinstance(event, RunStarted):
        return event
    settings, _ = readable(event.settings, SETTINGS_TYPES)
    return msgspec.structs.replace(event, settings=settings)


def from_line(line: bytes) -> Event | None:
    """The event of a line of events.jsonl; None for one that this version does not know or cannot read."""
    if b'"event"' not in line:
        return None
    try:
        return _with_settings(_DECODER.decode(line))
    except (ValueError, RecursionError):  # null for NaN, a lone surrogate, damage
        pass
    try:
        values = read_json(line)
    except DecodingError:
        return None
    return from_json(values) if isinstance(values, dict) else None
