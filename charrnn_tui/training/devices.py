"""Where a training runs: device, precision, threads; chooses what the settings leave to `auto`."""

import platform
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from charrnn_tui.native.cores import available_cores
from charrnn_tui.run.memory import check_memory, free_memory, parameter_count
from charrnn_tui.run.settings import SettingsError, TrainSettings
from charrnn_tui.training.cudnn_lstm import has_bfloat16
from charrnn_tui.training.device_check import disagreement
from charrnn_tui.training.model import CharRNN

_CLEARLY = 1.25  # times as fast as bfloat16 must float32 be; bfloat16 gains 1.7 times by AVX-512 BF16, 3 by AMX
_TRIED_PARAMETERS = 20_000_000  # of the largest model that is tried
_STEPS_AHEAD = 16
_TEXT_SHARE = 0.25  # of the GPU's free memory that the text may take


@dataclass(frozen=True)
class Placement:
    """device: cpu, cuda, mps or xpu. precision: float32 or bfloat16. threads: of torch on the CPU.

    steps_ahead: how many steps may be queued on the device behind the one waited for. resident_bytes: how much text may
    be stored on the device.
    """

    device: str
    device_name: str
    precision: str
    threads: int
    steps_ahead: int = 0
    resident_bytes: int = 0


def place(settings: TrainSettings, tokens: int) -> Placement:
    """Choose device, precision and threads, and set torch's threads.

    Raises SettingsError for a device that is missing, or computes otherwise than the CPU, and for a training that does
    not fit into its memory.
    """
    device = _device(settings.device)
    own_memory = device in ("cuda", "xpu")
    free = torch.get_device_module(device).mem_get_info()[0] if own_memory else free_memory()
    check_memory(settings, tokens, free)
    precisions = _precisions(device) if settings.precision == "auto" else (settings.precision,)
    if device == "cpu":
        precision, threads = fastest(settings, tokens, precisions)
    else:
        precision, threads = precisions[0], settings.threads or torch.get_num_threads()
    prepare(device, threads)
    if device == "cuda":  # only there do calls return before the work is done
        return Placement(device, _device_name(device), precision, threads, _STEPS_AHEAD, int(_TEXT_SHARE * free))
    return Placement(device, _device_name(device), precision, threads)


def prepare(device: str, threads: int) -> None:
    """Set torch's threads, and the precision of products in float32, for this process."""
    if device != "cpu":
        torch.set_float32_matmul_precision("high")  # TF32, where products are in float32 and the GPU has it
        torch.backends.cudnn.allow_tf32 = True
    torch.set_num_threads(threads)


def _device(asked: str) -> str:
    here = available_devices()
    if asked == "auto":
        return next(name for name in here if not wrong_numbers(name))
    if asked not in here:
        raise SettingsError("device", f"{asked} is not available on this machine (here: {', '.join(here)}; or auto)")
    if wrong := wrong_numbers(asked):
        raise SettingsError(
            "device", f"{asked} does not compute what the CPU does ({wrong}); train on cpu, or with auto"
        )
    return asked


def available_devices() -> list[str]:
    """The devices of this machine, in the order in which `auto` tries them; the CPU last."""
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "xpu": torch.xpu.is_available(),
        "cpu": True,
    }
    return [name for name, present in there.items() if present]


@cache
def wrong_numbers(device: str) -> str:
    """A description of what the device computes differently from the CPU; empty if nothing. cuDNN is trusted."""
    trusted = device == "cpu" or (device == "cuda" and torch.version.hip is None)
    return "" if trusted else disagreement(torch.device(device))


def device_reports() -> list[str]:
    """For each device its name, and why no training runs on it, if so."""
    reports = ["cpu"]
    for device in available_devices()[:-1]:
        names, wrong = [_device_name(device)], wrong_numbers(device)
        if device == "cuda":
            names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        reports += [f"{device} ({name}{f'; not used: {wrong}' if wrong else ''})" for name in names]
    return reports


def _precisions(device: str) -> tuple[str, ...]:
    """The precisions to choose from, the most likely first."""
    if device == "cuda":
        return ("bfloat16",) if has_bfloat16() else ("float32",)
    # Processors without bfloat16 products emulate them, which is slower.
    return ("bfloat16", "float32") if device == "cpu" and cpu_has_bfloat16() else ("float32",)


def cpu_has_bfloat16() -> bool:
    """Whether it multiplies them itself, not emulated."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # private, so absent means no
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in checks)


def _device_name(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    if device == "mps":
        return "Apple GPU"
    if device == "xpu":
        return torch.xpu.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def fastest(settings: TrainSettings, tokens: int, precisions: tuple[str, ...]) -> tuple[str, int]:
    """The fastest (precision, threads), with all cores, half of them or one, by training a few time steps.

    It takes about a second, so that large models, for which it would take many, get the likeliest choice untried.
    float32 must beat bfloat16 clearly, so that a machine always chooses the same.
    """
    cores = available_cores()
    counts = [settings.threads] if settings.threads else sorted({1, max(1, cores // 2), cores}, reverse=True)
    candidates = [(precision, threads) for precision in precisions for threads in counts]
    large = parameter_count(tokens, settings.n_hidden, settings.n_layers) > _TRIED_PARAMETERS
    if len(candidates) == 1 or large:
        return candidates[0]
    before = torch.random.get_rng_state()  # the trial must not change the run's random numbers
    model = CharRNN(tokens, settings.n_hidden, settings.n_layers, drop_prob=0.0)
    batch = min(settings.batch_size, 128)
    ids = torch.zeros(min(settings.seq_length, 10), batch, dtype=torch.int64)
    seconds: dict[tuple[str, int], float] = {}
    for _ in range(4):  # in turns, so that other load hits them all; the first round warms up
        for precision, threads in candidates:
            torch.set_num_threads(threads)
            started = time.perf_counter()
            model(ids, model.init_hidden(batch), getattr(torch, precision))[0].float().sum().backward()
            elapsed = time.perf_counter() - started
            handicap = _CLEARLY if precision == "float32" and len(precisions) > 1 else 1.0
            seconds[precision, threads] = min(elapsed * handicap, seconds.get((precision, threads), np.inf))
    torch.random.set_rng_state(before)
    return min(candidates, key=seconds.__getitem__)


def is_device_lost(error: BaseException) -> bool:
    """Whether the error means that the device and everything in its memory is lost; being out of memory does not.

    An illegal access or a failed launch makes a CUDA context useless; a card can also fall off the bus.
    """
    if isinstance(error, torch.OutOfMemoryError) or not isinstance(error, RuntimeError):
        return False
    return isinstance(error, torch.AcceleratorError) or str(error).startswith(("CUDA error", "CUDA driver error"))
