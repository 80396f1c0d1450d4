"""Editing what was written is a fork: the model goes on behind it."""

import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.tui.dialogs.edit_text import EditText
from charrnn_tui.tui.play.prime_input import PrimeInput
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text
from tests.tui.play.player import DEFAULT, Player, playing


@pytest.fixture
def shipped(backend: ScriptedBackend) -> Checkpoint:
    checkpoint = tiny_checkpoint()
    checkpoint.weights["fc.bias"][0] += 1  # lines end now and then
    backend.ship(checkpoint)
    return checkpoint


async def line_under_cursor(player: Player) -> tuple[str, str, str]:
    """Stop, put the cursor into the middle of a line, open the editor; what is before, in and behind the line."""
    await player.written(300)
    text = await player.stop()
    lines = text.split("\n")
    number = next(number for number, line in enumerate(lines[:-1]) if len(line) >= 4)
    start = sum(len(line) + 1 for line in lines[:number])
    end = start + len(lines[number])
    await player.press("i")
    player.pane.text_view.cursor = len(player.playground.writer.prime) + start + 2
    await player.press("e")
    assert isinstance(player.app.screen, EditText)
    assert player.app.screen.query_one(PrimeInput).value == text[start:end]
    return text[:start], text[start:end], text[end:]


async def test_what_was_typed_stands_in_the_text_and_the_model_goes_on_from_its_state(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        before, line, _ = await line_under_cursor(player)
        await player.press("h", "h", "enter")
        edited = before + line[:2] + "hh" + line[2:]
        await player.written(len(edited) + 30)
        text = await player.stop()
        assert text.startswith(edited)
        reference = Sampler(CharModel(shipped), shipped.vocabulary, DEFAULT, seed=42, prime="a")
        for character in edited:
            reference.force(shipped.vocabulary.index[character])
        assert text[len(edited) :] == "".join(next(reference).character for _ in text[len(edited) :])
        await player.press("u")
        assert player.playground.writer.text.startswith(before + line + "\n")


async def test_a_line_that_was_cut_short_goes_on_otherwise(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        before, line, behind = await line_under_cursor(player)
        await player.press("ctrl+k", "enter")
        kept = before + line[:2]
        await player.written(len(kept) + 60)
        text = await player.stop()
        assert text.startswith(kept)
        assert text[len(kept) : len(kept) + 60] != (line[2:] + behind)[:60]


async def test_what_the_model_cannot_write_is_named_and_not_taken(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await line_under_cursor(player)
        await player.press("é", "enter")
        await player.until(lambda: "(U+00E9) at position 2" in screen_text(player.app))
        assert isinstance(player.app.screen, EditText)
        await player.press("escape")
        assert len(list(player.playground.tree)) == 1


async def test_without_a_cursor_the_last_line_is_written_on(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(60)
        text = await player.stop()
        await player.press("e", "f", "a", "d", "enter")
        await player.written(len(text) + 20)
        assert player.playground.writer.text.startswith(text + "fad")
        assert player.playground.writer.generated.forced == [len(text), len(text) + 1, len(text) + 2]


async def test_in_the_prime_the_key_edits_the_prime(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(30)
        await player.stop()
        await player.press("i", "home", "e")
        assert player.pane.prime_field.input.has_focus


async def test_the_edit_is_of_the_text_that_was_on_the_screen_when_it_began(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        before, line, _ = await line_under_cursor(player)
        player.playground.start_over()  # as a replay that was still under way may do
        await player.press("h", "enter")
        edited = before + line[:2] + "h"
        await player.written(len(edited) + 5)
        assert player.playground.writer.text.startswith(edited)
