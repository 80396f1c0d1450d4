"""A recipe's model must still be there when the training that wrote its file has written another one over it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn_tui.run.files import file_sha256

if TYPE_CHECKING:
    from charrnn_tui.playground.models import LoadedModel


def pin_checkpoint(model: LoadedModel, directory: Path) -> Path:
    """A file that holds this model and goes on to: its own, or for a run's best and last one a link in `directory`.

    Raises ValueError where no file holds it, OSError where it cannot be kept.
    """
    if not model.sha256:
        raise ValueError("these weights are in no file: save the run (S), then play its last model (m)")
    file = model.source.file
    if model.source.kind in ("shipped", "file"):
        return file.resolve()
    kept = directory / f"{model.source.path.name}-{model.sha256[:12]}{file.suffix}"
    if not kept.exists():
        if not file.exists() or file_sha256(file) != model.sha256:
            raise ValueError(f"{file} has been written anew since this text began; m plays the newer model")
        beside = kept.with_name(f".{kept.name}.{os.getpid()}.part")
        try:
            os.link(file, beside)  # a training renames new files into place, so a link keeps the old one
        except OSError:
            shutil.copyfile(file, beside)
        beside.replace(kept)
    return kept.resolve()


def drop_unused_pins(directory: Path, notes: Iterable[Path]) -> None:
    """Take away the links that no recipe and no session names any more. Raises OSError."""
    named = "".join(note.read_text("utf-8", "replace") for note in [*directory.glob("*.json"), *notes])
    for kept in [*directory.glob("*.safetensors"), *directory.glob("*.net")]:
        if kept.name not in named:
            kept.unlink(missing_ok=True)
