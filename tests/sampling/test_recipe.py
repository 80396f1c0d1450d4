"""A recipe says how a text was made, and writes the same characters again."""

import json
from typing import Any

import numpy as np
import pytest

from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.recipe import Recipe, RecipeError, follow
from charrnn_tui.sampling.settings import SamplingSettings
from tests.sampling.test_generated_text import MODEL, VOCABULARY, page_of, sampler


def changed_page() -> GeneratedText:
    """A fork with another seed, a forced symbol, and settings that changed twice."""
    generated = page_of(200)[0].fork(150, seed=77)
    writer = sampler(0)
    writer.restore(generated.snapshot_at(150))
    generated.write(writer, 3)
    for settings in (SamplingSettings(1.3), SamplingSettings(0.5, top_p=0.9)):
        writer.settings = settings
        for _ in range(60):
            generated.write(writer)
    return generated


def recipe_values(**changes: Any) -> dict[str, Any]:
    return Recipe.of(changed_page(), "model.safetensors", "a" * 64).as_json() | changes


def test_a_recipe_writes_a_forked_and_changed_page_again() -> None:
    recipe = Recipe.parse(json.dumps(recipe_values()))
    assert (dict(recipe.seeds), list(recipe.settings), list(recipe.forced)) == ({0: 5, 150: 77}, [0, 151, 211], [150])
    again = "".join(written.character for written in follow(recipe, recipe.start(MODEL, VOCABULARY)))
    assert again == changed_page().text


@pytest.mark.parametrize("drawn", [True, False])
def test_a_recipe_continues_a_text_that_begins_as_it_does(drawn: bool) -> None:
    generated, recipe = changed_page(), Recipe.parse(json.dumps(recipe_values()))
    again, writer = generated.fork(100), sampler(0)
    writer.restore(generated.snapshot_at(100))
    for written in follow(recipe, writer, again, None if drawn else generated.ids):
        assert again.ids[-1] == written.token_id
    assert again.text == generated.text
    assert again.forced == generated.forced
    assert Recipe.of(again, recipe.checkpoint, recipe.sha256) == recipe
    np.testing.assert_array_equal(again.logits_between(0, len(generated)), generated.logits_between(0, len(generated)))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"version": 3}, "version 3, this program reads up to 2"),
        ({"until": [""]}, r"until\[0\]: Expected `str` of length >= 1"),
        ({"lines": 0}, "lines: Expected `int` >= 1"),
        ({"extra": 1}, "unknown field `extra`"),
        ({"sha256": "zz"}, "sha256: Expected `str` matching regex"),
        ({"length": -1}, "length: Expected `int` >= 0"),
        ({"seeds": []}, "seeds has nothing for position 0"),
        ({"seeds": [[0, 1], [0, 2]]}, "out of order"),
        ({"seeds": [[0, True]]}, r"seeds\[0\]\[1\]: Expected `int`, got `bool`"),
        ({"settings": [[0, {"temperature": 1}]]}, r"settings\[0\]\[1\]: Object missing required field `top_k`"),
        ({"forced": [[9999, "a"]]}, "behind the length"),
        ({"forced": [[1, ""]]}, r"forced\[0\]\[1\]: Expected `str` of length >= 1"),
        ({"prime": 3}, "prime: Expected `str`, got `int`"),
    ],
)
def test_a_bad_recipe_is_refused_with_what_is_wrong(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(RecipeError, match=told) as refused:
        Recipe.parse(json.dumps(recipe_values(**changes)))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("symbol", ["Ж", "ab"])
def test_a_symbol_outside_the_alphabet_is_refused_before_anything_is_written(symbol: str) -> None:
    recipe = Recipe.parse(json.dumps(recipe_values(forced=[[1, symbol]])))
    with pytest.raises(RecipeError, match=f"does not know '{symbol}'"):
        recipe.start(MODEL, VOCABULARY)


def test_a_recipe_ends_a_text_where_it_says_and_only_then_needs_a_newer_reader() -> None:
    values = recipe_values()
    whole = changed_page().text
    assert values["version"] == 1
    stopped = Recipe.parse(json.dumps(values | {"version": 2, "until": [whole[40:43]]}))
    written = "".join(each.character for each in follow(stopped, stopped.start(MODEL, VOCABULARY)))
    assert written == whole[: whole.index(whole[40:43]) + 3]
    assert stopped.as_json()["version"] == 2
    assert Recipe.parse(json.dumps(stopped.as_json())) == stopped


def test_a_recipe_says_what_acts_on_the_logits_and_settings_that_are_off_are_left_out() -> None:
    writer = sampler(0, SamplingSettings(0.9, ban="e", dry=0.8, dry_length=3))
    generated = GeneratedText(writer, "the cat", 0)
    for settings in (writer.settings, SamplingSettings(only="the cat")):
        writer.settings = settings
        for _ in range(60):
            generated.write(writer)
    values = Recipe.of(generated, "model.safetensors", "a" * 64).as_json()
    first = {"temperature": 0.9, "top_k": None, "top_p": None, "min_p": None, "dry": 0.8, "dry_length": 3, "ban": "e"}
    assert (values["version"], values["settings"][0]) == (2, [0, first])
    recipe = Recipe.parse(json.dumps(values))
    assert "".join(each.character for each in follow(recipe, recipe.start(MODEL, VOCABULARY))) == generated.text
    values["settings"][1][1]["only"] = "Ж"
    with pytest.raises(RecipeError, match="only leaves no character"):
        Recipe.parse(json.dumps(values)).start(MODEL, VOCABULARY)
