"""Work queued on a device: marks that tell when it gets there, and copies that do not wait for it."""

import time
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

from charrnn_tui.training.model import Hidden


class Mark(Protocol):
    """A place in the device's queue, as torch.cuda.Event."""

    def synchronize(self) -> None:
        """Wait until the device has reached it."""

    def elapsed_time(self, later: Self) -> float:
        """Milliseconds on the device's clock up to a later mark; both must have been reached."""


@dataclass(frozen=True)
class QueuedStep:
    """A training step given to the device. figures: loss and gradient norm, valid once `end` is reached."""

    step: int  # counted from 1
    lr: float
    hidden: Hidden  # the state that the step starts from
    figures: Tensor  # float32 (2,), on the CPU
    end: Mark


class DeviceQueue:
    """The queue of one device. Only CUDA computes while the caller goes on; elsewhere work ends with its call."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"

    def mark(self) -> Mark:
        """Mark the end of the work queued so far."""
        if not self._cuda:
            return _HostMark()
        mark = torch.cuda.Event(enable_timing=True, blocking=True)  # type: ignore[no-untyped-call]  # torch's
        mark.record()  # blocking=True: a waiting thread leaves the core to others
        return mark

    def fetch(self, figures: Tensor) -> Tensor:
        """A copy on the CPU, valid once the device has reached a mark made after this call."""
        if not self._cuda:
            return figures.cpu()
        return torch.empty_like(figures, device="cpu", pin_memory=True).copy_(figures, non_blocking=True)


class _HostMark:
    """The time at which it was made."""

    def __init__(self) -> None:
        self._seconds = time.perf_counter()

    def synchronize(self) -> None:
        pass

    def elapsed_time(self, later: Self) -> float:
        return 1000 * (later._seconds - self._seconds)
