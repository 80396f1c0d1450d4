"""The load of the machine during a training, by psutil and by nvidia-ml-py, if they are installed."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch

from charrnn_tui.run.events import SystemSampled

SECONDS = 10.0  # between two samples


class SystemLoad:
    """Takes a sample every `SECONDS`; none if neither library is there."""

    def __init__(self, device: str, clock: Callable[[], float] = time.monotonic) -> None:
        """device: as in `Placement`; a GPU is asked for if it is "cuda"."""
        self._clock, self._gpu = clock, device == "cuda"
        self._process: Any = None
        with suppress(ImportError):
            import psutil  # an extra

            self._psutil, self._process = psutil, psutil.Process()
            psutil.cpu_percent()  # counts from here
        self._sampled_at = clock()

    @property
    def due(self) -> bool:
        """Whether to take a sample now."""
        return (self._process is not None or self._gpu) and self._clock() - self._sampled_at >= SECONDS

    def sample(self, step: int) -> SystemSampled:
        """The load since the last sample."""
        self._sampled_at = self._clock()
        facts: dict[str, Any] = {}
        if self._process is not None:
            with suppress(self._psutil.Error, OSError):
                facts["cpu_percent"] = self._psutil.cpu_percent()
                facts["memory_bytes"] = self._process.memory_info().rss
        if self._gpu:
            try:
                facts["gpu_percent"] = torch.cuda.utilization()
                facts["gpu_celsius"] = torch.cuda.temperature()
            except Exception:  # not installed, or a driver that does not tell; NVML's errors have no common type
                self._gpu = False
        return SystemSampled(time=time.time(), step=step, **facts)
