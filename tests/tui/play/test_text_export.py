"""Taking texts out of the playground: files in three forms, the clipboard, recipes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from textual.widgets import Input

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.playground.models import ModelSource
from charrnn_tui.playground.text_export import COPY_FILE, RECIPES
from charrnn_tui.sampling.recipe import Recipe
from charrnn_tui.tui.dialogs.save_text import SaveText
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.play.player import Player, playing


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where names without a directory are written."""
    monkeypatch.chdir(tmp_path)


async def save_as(player: Player, name: str) -> None:
    await player.press("w")
    assert isinstance(player.app.screen, SaveText)
    player.app.screen.query_one(Input).value = name
    await player.press("enter")
    await player.until(lambda: player.app.screen is player.play)


async def made_with_everything(player: Player) -> str:
    """A text with a change of a control, a fork with another character and one with the same: the written part."""
    await player.written(30)
    await player.stop()
    await player.press("right", "g")
    await player.written(60)
    await player.stop()
    await player.press("i", "left", "left", "left", "enter", "down", "enter")
    await player.written(90)
    await player.stop()
    await player.press("right", "right", "enter")
    await player.written(120)
    return await player.stop()


def again(*arguments: str) -> str:
    """What the command line writes."""
    command = [sys.executable, "-m", "charrnn_tui", "sample", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    assert "differs" not in done.stderr
    return done.stdout


async def test_the_copied_command_writes_the_same_characters(backend: ScriptedBackend, file: Path) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        text = await made_with_everything(player)
        await player.press("Y")
        command = player.app.clipboard
        match = re.fullmatch(r"charrnn-tui sample --recipe (\S+)", command)
        assert match is not None
        recipe = Recipe.parse(Path(match[1]).read_text())
        assert len(recipe.settings) >= 2
        assert len(recipe.forced) >= 2
        assert len(recipe.seeds) >= 2
        assert again("--recipe", match[1]) == player.playground.writer.prime + text


async def test_a_recipe_of_a_runs_model_outlives_what_the_training_writes_over_it(backend: ScriptedBackend) -> None:
    run = backend.add_run("mine-1", tiny_checkpoint())
    backend.put(run.best_file, tiny_checkpoint(seed=3))
    async with playing(backend, source=ModelSource("best", run.path)) as player:
        await player.written(40)
        text = await player.stop()
        await player.press("Y")
        write_checkpoint(run.best_file, tiny_checkpoint(seed=4))
        (recipe,) = (backend.runs_directory / RECIPES).glob("mine-1-*.json")
        assert again("--recipe", str(recipe)) == player.playground.writer.prime + text
        await player.press("r")
        await player.written(40)
        await player.press("Y")
        assert len(list((backend.runs_directory / RECIPES).glob("mine-1-????????.json"))) == 2  # the kept model serves


async def test_a_recipe_says_when_its_model_is_in_no_file_any_more(backend: ScriptedBackend) -> None:
    run = backend.add_run("mine-1", tiny_checkpoint())
    backend.put(run.best_file, tiny_checkpoint(seed=3))
    async with playing(backend, source=ModelSource("best", run.path), size=(140, 40)) as player:
        await player.written(40)
        write_checkpoint(run.best_file, tiny_checkpoint(seed=4))
        await player.press("Y")
        await player.until(lambda: "has been replaced" in "".join(player.app.told))
        assert not list((backend.runs_directory / RECIPES).glob("*.json"))


async def test_json_tells_what_the_model_thought_and_how_to_write_it_again(
    backend: ScriptedBackend, file: Path, tmp_path: Path
) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        text = await made_with_everything(player)
        await save_as(player, "told.json")
        told = json.loads((tmp_path / "told.json").read_text())
        assert told["text"] == text
        assert "".join(entry["character"] for entry in told["characters"]) == text
        generated = player.playground.writer.generated
        for position in (0, 35, 70, 100):
            distribution = generated.distribution_at(position)
            entry = told["characters"][position]
            place = distribution.place_of(generated.ids[position])
            assert entry["probability"] == pytest.approx(distribution.before_at(place), rel=1e-5)
            assert entry["chosen_probability"] == pytest.approx(distribution.after_at(place), rel=1e-5)
            assert entry["rank"] == place + 1
            assert entry["likeliest"][0][0] == generated.vocabulary.tokens[distribution.order[0]]
        assert [at for at, entry in enumerate(told["characters"]) if entry["forced"]] == generated.forced
        recipe = tmp_path / "recipe.json"
        recipe.write_text(json.dumps(told["recipe"]))
        assert again("--recipe", str(recipe)) == told["prime"] + text


async def test_a_picture_has_every_row_of_the_text_and_its_colours(
    backend: ScriptedBackend, file: Path, tmp_path: Path
) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await player.written(300)
        await player.stop()
        await player.press("c", "c", "c")
        await save_as(player, "seen.svg")
        svg = (tmp_path / "seen.svg").read_text()
        shown = re.sub(r"<[^>]*>", "", svg).replace("&#160;", " ")
        for row in player.pane.text_view.painted_rows():
            words = "".join(segment.text for segment in row).split()
            assert all(word in shown for word in words)
        assert "surprise" in shown
        assert "@font-face" not in svg  # nothing is fetched when it is looked at
        assert "underline" in svg  # the steps differ without colour too


async def test_f2_steps_through_the_forms(backend: ScriptedBackend, file: Path) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await player.written(30)
        await player.press("w")
        field = player.app.screen.query_one(Input)
        seen = [field.value]
        for _ in range(3):
            await player.press("f2")
            seen.append(field.value)
        assert seen == ["tiny-1.txt", "tiny-1.json", "tiny-1.svg", "tiny-1.txt"]


async def test_a_selection_is_copied_alone(backend: ScriptedBackend, file: Path) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await player.written(100)
        await player.stop()
        view = player.pane.text_view
        await player.pilot.mouse_down(view, offset=(3, 0))
        await player.pilot.hover(view, offset=(9, 0))
        await player.pilot.mouse_up(view, offset=(9, 0))
        assert view.selected is not None
        start, end = view.selected
        await player.press("y")
        assert player.app.clipboard == player.playground.text[start:end] != player.playground.text
        assert (backend.runs_directory / COPY_FILE).read_text() == player.playground.text[start:end]
