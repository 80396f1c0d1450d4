"""Taking a text out of the playground: as text, as JSON with probabilities, as the command that writes it again."""

import json
import shlex
from pathlib import Path
from typing import Final

from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.checkpoint_pins import pin_checkpoint
from charrnn_tui.run.files import write_atomically
from charrnn_tui.sampling.recipe import Recipe, RecipeError
from charrnn_tui.sampling.text_record import text_record

COPY_FILE: Final = "copied.txt"  # in the runs directory
RECIPES: Final = "recipes"  # a directory there


def as_bytes(text: str) -> bytes:
    """UTF-8; half of a surrogate pair, which a model can write, as the bytes that it would have."""
    return text.encode("utf-8", "surrogatepass")


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
