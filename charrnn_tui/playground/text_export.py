"""Taking a text out of the playground: as text, as JSON with probabilities, as the command that writes it again.

A training replaces its best and last checkpoint, so those that recipes and sessions name are hard-linked beside them.
"""

import json
import os
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.run.files import file_sha256, write_atomically
from charrnn_tui.sampling.recipe import Recipe, RecipeError
from charrnn_tui.sampling.text_record import text_record
from charrnn_tui.text.byte_text import utf8

COPY_FILE: Final = "copied.txt"  # in the runs directory
RECIPES: Final = "recipes"  # a directory there


def as_bytes(text: str) -> bytes:
    """UTF-8; bytes that a model of bytes has written as they are."""
    return utf8(text)


def with_probabilities(branch: Branch) -> bytes:
    """JSON: the text, what the model thought of each character, and the recipe if there is one."""
    model = branch.model
    try:
        file = str(model.source.file.resolve())
        recipe = Recipe.of(branch.generated, file, model.sha256).as_json() if model.sha256 else None
    except RecipeError:  # the text is written all the same
        recipe = None
    return (json.dumps(text_record(branch.generated) | {"recipe": recipe}, indent=1) + "\n").encode()


def write_recipe(branch: Branch, runs_directory: Path) -> str:
    """Write the recipe of a text beside the runs; returns the command that writes the text again.

    Raises ValueError if no file holds the weights, OSError.
    """
    directory = runs_directory / RECIPES
    directory.mkdir(parents=True, exist_ok=True)
    recipe = Recipe.of(branch.generated, str(pin_checkpoint(branch.model, directory)), branch.model.sha256)
    path = directory / f"{branch.model.source.path.stem}-{recipe.name}.json"
    write_atomically(path, (json.dumps(recipe.as_json(), indent=1) + "\n").encode())
    return f"charrnn-tui sample --recipe {shlex.quote(str(path))}"


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
