"""Hard-links checkpoints named in recipes and sessions, because a training replaces its best and last checkpoint."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.run.files import file_sha256


def pin_checkpoint(model: LoadedModel, directory: Path) -> Path:
    """A file that will go on holding this model: its own or, for a run's checkpoint, a link to it in `directory`.

    Raises ValueError if no file holds the model, OSError if the link cannot be made.
    """
    if not model.sha256:
        raise ValueError("these weights are in no file: save the run (S), then play its last model (m)")
    file = model.source.file
    if model.source.kind in ("shipped", "file"):
        return file.resolve()
    pin = directory / f"{model.source.path.name}-{model.sha256[:12]}{file.suffix}"
    if not pin.exists():
        if not file.exists() or file_sha256(file) != model.sha256:
            raise ValueError(f"{file} has been replaced since this text began; m plays the newer model")
        beside = pin.with_name(f".{pin.name}.{os.getpid()}.part")
        try:
            os.link(file, beside)  # a training renames new files into place, so the link keeps the old one
        except OSError:
            shutil.copyfile(file, beside)
        beside.replace(pin)
    return pin.resolve()


def drop_unused_pins(directory: Path, notes: Iterable[Path]) -> None:
    """Delete the links that no recipe in `directory` and none of `notes` (sessions) names. Raises OSError."""
    named = "".join(note.read_text("utf-8", "replace") for note in [*directory.glob("*.json"), *notes])
    for pin in [*directory.glob("*.safetensors"), *directory.glob("*.net")]:
        if pin.name not in named:
            pin.unlink(missing_ok=True)
