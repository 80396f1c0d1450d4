"""Where a training runs: device, precision, threads. What is `auto` is decided here, and shown."""

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from charrnn_tui.run.settings import SettingsError, TrainSettings


@dataclass(frozen=True)
class Placement:
    """device: cpu, cuda or mps. precision: float32 or bfloat16. threads: of torch on the CPU."""

    device: str
    device_name: str
    precision: str
    threads: int


def place(settings: TrainSettings, tokens: int) -> Placement:
    """Decide device, precision and threads, and set torch's threads for this thread.

    Raises SettingsError where the device asked for is not here.
    """
    device = _device(settings.device)
    precision = _default_precision(device) if settings.precision == "auto" else settings.precision
    threads = settings.threads
    if threads is None:
        threads = fastest_threads(settings, tokens, precision) if device == "cpu" else torch.get_num_threads()
    torch.set_num_threads(threads)
    return Placement(device, _device_name(device), precision, threads)


def _device(asked: str) -> str:
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[asked]:
        here = ", ".join(name for name, present in there.items() if present)
        raise SettingsError("device", f"{asked} is not available on this machine (here: {here}; or auto)")
    return asked


def _default_precision(device: str) -> str:
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    # Only processors with bfloat16 products gain from it; elsewhere it is emulated and slower.
    return "bfloat16" if device == "cpu" and _cpu_has_bfloat16() else "float32"


def _cpu_has_bfloat16() -> bool:
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # private, so absent means no
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in checks)


def _device_name(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    if device == "mps":
        return "Apple GPU"
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fastest_threads(settings: TrainSettings, tokens: int, precision: str) -> int:
    """The faster of all cores, half of them and one, by a trial of a second or so on an LSTM of the size asked for."""
    cores = available_cores()
    candidates = sorted({1, max(1, cores // 2), cores}, reverse=True)
    if len(candidates) == 1:
        return cores
    before = torch.random.get_rng_state()  # the trial must not move the run's random numbers
    lstm = nn.LSTM(settings.n_hidden, settings.n_hidden, batch_first=True)
    x = torch.zeros(min(settings.batch_size, 128), min(settings.seq_length, 10), settings.n_hidden)
    seconds: dict[int, float] = {}
    for _ in range(3):  # in turn, so that a moment of load hits them all; the first round warms up
        for threads in candidates:
            torch.set_num_threads(threads)
            started = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                lstm(x)[0].sum().backward()
            elapsed = time.perf_counter() - started
            seconds[threads] = min(elapsed, seconds.get(threads, elapsed))
    torch.random.set_rng_state(before)
    return min(candidates, key=lambda threads: seconds[threads])


def is_device_lost(error: BaseException) -> bool:
    """Whether an error means that an accelerator has gone, with everything in its memory; running out of it does not.

    An illegal access or a failed launch leaves a CUDA context useless; a card that fell off the bus is gone.
    """
    if isinstance(error, torch.OutOfMemoryError) or not isinstance(error, RuntimeError):
        return False
    return isinstance(error, torch.AcceleratorError) or str(error).startswith(("CUDA error", "CUDA driver error"))
