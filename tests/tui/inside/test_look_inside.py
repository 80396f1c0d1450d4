"""Looking inside the playground's model; looking inside a run is in tests/tui/train."""

from pathlib import Path

import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground import studied
from charrnn_tui.playground.models import ModelSource
from charrnn_tui.tui.dialogs.lens_menu import STUDIES, LensMenu
from charrnn_tui.tui.inside.look_inside import LookInside
from tests.playground.run_with_text import some_letters
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text
from tests.tui.play.player import Player, playing


@pytest.fixture(autouse=True)
def short_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a model whose text is not found write fewer characters than it would."""
    monkeypatch.setattr(studied, "WRITTEN_CHARS", 700)


async def shows(player: Player, *words: str) -> None:
    await player.until(lambda: all(word in screen_text(player.app) for word in words))


async def test_the_lens_menu_leads_to_the_studies_of_any_model(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(40)
        await player.press("l", "end")
        assert isinstance(player.app.screen, LensMenu)
        assert player.app.screen.highlighted == STUDIES
        await player.press("enter")
        await shows(player, "inside ", "how far back does it remember?")
        await player.press("enter")
        await shows(player, "nats/char over characters seen", "700 characters that it has written (")
        await player.press("escape", "down", "enter")
        await shows(player, "closed: below 0.1", "700 characters that it has written (")
        await player.press("escape", "end", "enter")
        await shows(player, "does not say which text it was trained on")
        await player.press("I")
        await player.until(lambda: player.app.screen is player.play)


async def test_what_was_found_is_kept_until_another_model_writes(backend: ScriptedBackend, tmp_path: Path) -> None:
    letters = tmp_path / "letters.txt"
    letters.write_text(some_letters())
    files = [tmp_path / name for name in ("[one].safetensors", "two.safetensors")]
    for file in files:
        file.touch()
        backend.checkpoints[file] = tiny_checkpoint(corpus="letters", settings={"val_frac": 0.2})
    async with playing(backend, source=ModelSource("file", files[0])) as player:
        await player.written(10)
        await player.press("I", "enter")
        await shows(player, "inside [one].safetensors", "with all before", "600 characters of letters.txt, held out")
        letters.unlink()
        await player.press("escape", "escape", "I", "enter")
        await shows(player, "with all before")
        await player.press("escape", "escape")
        player.play.open_model(ModelSource("file", files[1]))
        await player.until(
            lambda: player.playground.model is not None and player.playground.model.source.path == files[1]
        )
        await player.press("I", "enter")
        await player.until(lambda: isinstance(player.app.screen, LookInside))
        await shows(player, "inside two.safetensors", "700 characters that it has written (")
