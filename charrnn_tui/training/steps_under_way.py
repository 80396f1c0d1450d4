"""Steps that a device still computes while the next ones are queued: what will be told of them, and when they end."""

import time
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

from charrnn_tui.training.model import Hidden


class Moment(Protocol):
    """A place in the device's queue of work, as torch.cuda.Event."""

    def record(self) -> None:
        """Put it behind what is queued so far."""

    def synchronize(self) -> None:
        """Wait until the device is there."""

    def elapsed_time(self, later: Self) -> float:
        """Milliseconds on the device's clock up to a later one; both must have been reached."""


@dataclass(frozen=True)
class StepUnderWay:
    """A step, counted from 1. hidden: what it starts from. figures: loss and gradient norm, once `end` is reached."""

    step: int
    lr: float
    hidden: Hidden
    figures: Tensor  # float32 (2,), on the CPU
    end: Moment


def moment_now(device: torch.device) -> Moment:
    """The end of what is queued on the device so far."""
    moment: Moment = _HostMoment()
    if device.type == "cuda":  # blocking: a thread that waits leaves the core to others
        moment = torch.cuda.Event(enable_timing=True, blocking=True)  # type: ignore[no-untyped-call]  # torch's
    moment.record()
    return moment


def on_its_way(figures: Tensor) -> Tensor:
    """A copy on the CPU, which is there when the device has come to the end of what is queued so far."""
    if figures.device.type != "cuda":
        return figures.cpu()
    return torch.empty_like(figures, device="cpu", pin_memory=True).copy_(figures, non_blocking=True)


class _HostMoment:
    """Of a device that has done its work when the call returns, or is waited for when its figures are read."""

    def record(self) -> None:
        self._seconds = time.perf_counter()

    def synchronize(self) -> None:
        pass

    def elapsed_time(self, later: Self) -> float:
        return 1000 * (later._seconds - self._seconds)
