"""`charrnn-tui sample --recipe`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, one_line


@pytest.fixture
def recipe_file(invoke: Invoke, checkpoint_file: Path, tmp_path: Path) -> Path:
    """Of a text of 60 characters, with a symbol forced and a setting changed by hand."""
    recipe = json.loads(invoke("sample", checkpoint_file, "--length", 60, "--seed", 4, "--json").stdout)["recipe"]
    recipe["forced"], recipe["text_sha256"] = [[20, "e"]], None
    recipe["settings"].append([30, recipe["settings"][0][1] | {"temperature": 0.3}])
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    return path


def test_a_recipe_writes_the_same_text_from_another_place_of_the_model(
    invoke: Invoke, recipe_file: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    first = invoke("sample", "--recipe", recipe_file, "--json")
    values = json.loads(first.stdout)
    assert values["text"][20] == "e"
    recipe_file.write_text(json.dumps(values["recipe"]), encoding="utf-8")
    moved = checkpoint_file.rename(tmp_path / "moved.safetensors")
    again = invoke("sample", moved, "--recipe", recipe_file)
    assert (again.exit_code, again.stderr, again.stdout) == (0, "", values["prime"] + values["text"])
    lost = one_line(invoke("sample", "--recipe", recipe_file))
    assert "no such file" in lost
    assert "sample CHECKPOINT --recipe" in lost


def test_another_model_is_refused_by_its_hash(invoke: Invoke, recipe_file: Path, checkpoint_file: Path) -> None:
    data = bytearray(checkpoint_file.read_bytes())
    data[-1] ^= 1
    checkpoint_file.write_bytes(data)
    result = invoke("sample", "--recipe", recipe_file)
    assert result.exit_code == 1
    assert "is not the recipe's model" in one_line(result)


def test_what_is_no_recipe_is_one_line_and_other_options_are_wrong_usage(
    invoke: Invoke, recipe_file: Path, text_file: Path
) -> None:
    refused = invoke("sample", "--recipe", text_file)
    assert (refused.exit_code, "is not JSON" in one_line(refused)) == (1, True)
    both = invoke("sample", "--recipe", recipe_file, "--top-k", 3)
    assert (both.exit_code, "--top-k and --recipe" in one_line(both)) == (2, True)
