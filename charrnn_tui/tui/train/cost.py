"""Estimates of what a training will cost."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from charrnn_tui.run.memory import parameter_count, training_bytes
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.batches import batch_count, split_at

_FLOPS_PER_PARAMETER = 6  # a character's forward and backward pass: two products forward, four backward
_LSTM_EFFICIENCY = 0.7  # of the speed of matrix products: what PyTorch's LSTM reaches in float32
_TIME_STEP_SECONDS = 4e-5  # of a layer, however small: both passes call some ten functions
_LEAST_WORK = 5_000_000  # parameters × batch size: a smaller step takes longer than its arithmetic tells
_PRODUCT = 64  # rows and columns of the product that is timed


@dataclass(frozen=True)
class TrainingCost:
    """parameters and steps are exact; memory_bytes and seconds are estimates."""

    parameters: int
    steps: int
    memory_bytes: int
    seconds: float


def training_cost(settings: TrainSettings, chars: int, tokens: int, parameters_per_second: float) -> TrainingCost:
    """chars, tokens: of the text. parameters_per_second: characters × parameters per second, from `training_speed`."""
    parameters = parameter_count(tokens, settings.n_hidden, settings.n_layers)
    boundary = split_at(chars, settings.val_frac)
    whole = batch_count(boundary, settings.batch_size, settings.seq_length) * settings.epochs
    steps = min(whole, settings.max_steps or whole)
    batch_chars = settings.batch_size * settings.seq_length
    speed = parameters_per_second / parameters  # characters/s
    validations = steps / settings.print_every if settings.val_frac else 0
    val_chars = min(chars - boundary, settings.val_chars)
    work = steps * batch_chars + validations * val_chars / 3  # a validation is a forward pass alone
    return TrainingCost(
        parameters=parameters,
        steps=steps,
        memory_bytes=training_bytes(settings, tokens),
        seconds=work / speed + steps * settings.seq_length * settings.n_layers * _TIME_STEP_SECONDS,
    )


def training_speed(runs: Iterable[RunProgress]) -> tuple[float, bool]:
    """Characters × parameters per second on this machine; True if one of these runs, the newest first, measured it.

    Otherwise it is estimated from matrix products, which takes 50 ms the first time. A run of a small model does not
    count: a hundredth of the speed that a large one has is usual there.
    """
    for progress in runs:
        started, step = progress.started, progress.last_step
        if started and step and started.parameters * started.settings.get("batch_size", 1) >= _LEAST_WORK:
            return step.chars_per_second * started.parameters, True
    return _LSTM_EFFICIENCY * flops() / _FLOPS_PER_PARAMETER, False


@cache
def flops() -> float:
    """Floating-point operations per second of all cores in float32 products: the best of 50 ms, times the cores.

    The products are small enough for BLAS to leave them to one thread: several would wait for a core that is busy.
    """
    matrix = np.ones((_PRODUCT, _PRODUCT), dtype=np.float32)
    best, end = float("inf"), time.perf_counter() + 0.05
    while (started := time.perf_counter()) < end:
        matrix @ matrix
        best = min(best, time.perf_counter() - started)
    return 2 * _PRODUCT**3 / best * (os.cpu_count() or 1)
