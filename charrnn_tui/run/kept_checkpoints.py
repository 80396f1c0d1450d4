"""The checkpoints that a run keeps of its way: a file a step, `checkpoints/step-00001234.safetensors`."""

import re
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = "checkpoints"
_NAME: Final = re.compile(r"step-(\d{8,})\.safetensors")


class KeptCheckpoint(NamedTuple):
    """A model on its way. step: training steps done."""

    step: int
    file: Path


def kept_file(run: Path, step: int) -> Path:
    """Where a run's checkpoint of a step lies."""
    return run / FOLDER / f"step-{step:08}.safetensors"


def kept_checkpoints(run: Path) -> list[KeptCheckpoint]:
    """Those that are there, whole, in the order of the steps; what is half written has another name."""
    try:
        files = list((run / FOLDER).iterdir())
    except OSError:  # a run that keeps none
        return []
    return sorted(KeptCheckpoint(int(match[1]), file) for file in files if (match := _NAME.fullmatch(file.name)))


def step_of_kept(file: Path) -> int:
    """The step that a kept checkpoint is of, by its name; -1 for any other file."""
    match = _NAME.fullmatch(file.name)
    return int(match[1]) if match else -1


def run_of_kept(file: Path) -> Path | None:
    """The directory of the run that has kept this file; None for any other file."""
    return file.parent.parent if file.parent.name == FOLDER and _NAME.fullmatch(file.name) else None
