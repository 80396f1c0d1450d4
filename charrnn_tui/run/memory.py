"""How much memory a training takes, and how much there is."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from charrnn_tui.run.quantities import size
from charrnn_tui.run.settings import SettingsError, TrainSettings

BYTES_PER_PARAMETER = 52  # weights, gradients, Adam's two moments; a copy of the last good state; a state being written
ACTIVATIONS = 12  # floats kept per character, layer and hidden unit for the backward pass
_CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def parameter_count(tokens: int, n_hidden: int, n_layers: int) -> int:
    """The number of a model's parameters."""
    inputs = [tokens] + [n_hidden] * (n_layers - 1)  # of each layer
    return sum(4 * n_hidden * (width + n_hidden + 2) for width in inputs) + tokens * (n_hidden + 1)


def training_bytes(settings: TrainSettings, tokens: int) -> int:
    """An estimate of what a training takes beside PyTorch itself and the text."""
    per_char = settings.n_layers * settings.n_hidden * ACTIVATIONS + 3 * tokens  # the logits and their gradients
    batch = 4 * settings.batch_size * settings.seq_length * per_char
    return batch + BYTES_PER_PARAMETER * parameter_count(tokens, settings.n_hidden, settings.n_layers)


def check_memory(settings: TrainSettings, tokens: int, free: int) -> None:
    """Raise SettingsError, naming the largest that fits, where a training does not fit into so many free bytes."""
    needed = training_bytes(settings, tokens)
    if needed <= free:
        return
    for field in ("n_hidden", "batch_size"):  # the one to blame is the one without which the rest would fit
        asked = getattr(settings, field)
        fits, too_large = 0, asked
        while too_large - fits > 1:
            middle = (fits + too_large) // 2
            smaller = training_bytes(replace(settings, **{field: middle}), tokens) <= free
            fits, too_large = (middle, too_large) if smaller else (fits, middle)
        if fits:
            message = f"{asked:,} needs about {size(needed)} of memory, of which {size(free)} are free"
            raise SettingsError(field, f"{message}; the largest that fits is {fits:,}")
    raise SettingsError("seq_length", f"{settings.seq_length:,} needs more memory than the {size(free)} that are free")


def free_memory() -> int:
    """Bytes that this machine, or this process's container, has left for a training."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with suppress(OSError):  # Linux alone has it
        lines = Path("/proc/meminfo").read_text().splitlines()
        limits += [1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    for file in _CONTAINER_LIMITS:
        with suppress(OSError, ValueError):  # ValueError: "max", no limit
            limits.append(int(file.read_text()))
    return min(limits)
