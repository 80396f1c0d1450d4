"""The history of a run's model: one checkpoint a step, `checkpoints/step-00001234.safetensors`."""

import re
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = "checkpoints"
_NAME: Final = re.compile(r"step-(\d{8,})\.safetensors")


class KeptCheckpoint(NamedTuple):
    """A checkpoint of the history. step: training steps done."""

    step: int
    file: Path


def kept_file(run: Path, step: int) -> Path:
    """The path of a run's checkpoint of a step."""
    return run / FOLDER / f"step-{step:08}.safetensors"


def kept_checkpoints(run: Path) -> list[KeptCheckpoint]:
    """The complete checkpoints of a run's history, by step; a file being written has another name."""
    try:
        files = list((run / FOLDER).iterdir())
    except OSError:  # a run without a history
        return []
    return sorted(KeptCheckpoint(int(match[1]), file) for file in files if (match := _NAME.fullmatch(file.name)))


def step_of_kept(file: Path) -> int:
    """The step in the name of a kept checkpoint; -1 for any other file."""
    match = _NAME.fullmatch(file.name)
    return int(match[1]) if match else -1


def run_of_kept(file: Path) -> Path | None:
    """The directory of the run that a kept checkpoint belongs to; None for any other file."""
    return file.parent.parent if file.parent.name == FOLDER and _NAME.fullmatch(file.name) else None
