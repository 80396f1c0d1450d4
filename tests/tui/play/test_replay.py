"""Replay: with it on, a changed control re-writes the page from its prime, with the same seed."""

from itertools import islice

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground.playground import State
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text
from tests.tui.play.player import Player, playing


def written_with(
    checkpoint: Checkpoint, count: int, *, prime: str = "a", seed: int = 42, **settings: float | None
) -> str:
    """What these settings write from the start."""
    chosen = SamplingSettings(**({"temperature": 0.8, "top_k": 5} | settings))
    sampler = Sampler(CharModel(checkpoint), checkpoint.vocabulary, chosen, seed=seed, prime=prime)
    return "".join(character.character for character in islice(sampler, count))


async def stopped_with_replay_on(player: Player) -> int:
    await player.written(40)
    await player.stop()
    await player.press("a")
    assert player.playground.settings.replay
    return player.playground.writer.count


async def test_a_changed_control_rewrites_the_page_with_the_same_seed(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        await player.press("down", "right", "right")
        await player.until(lambda: player.playground.writer.text == written_with(shipped, count, temperature=0.9))
        assert not player.playground.writer.writing
        assert player.pane.text_view.text == player.playground.text
        assert not player.pane.text_view.marks


async def test_a_key_held_down_ends_at_the_last_value_and_on_one_branch(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        await player.press("down", *["right"] * 12)
        await player.until(lambda: player.playground.writer.text == written_with(shipped, count, temperature=1.4))
        assert [branch.origin for branch in player.playground.tree] == ["start", "replay temperature"]


async def test_keys_pressed_while_a_text_is_replayed_are_not_lost(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        playground, controls = player.playground, player.play.controls
        count = await stopped_with_replay_on(player)
        for by in (1, -1, -1):
            controls.change(by)
        await player.until(lambda: playground.writer.text == written_with(shipped, count, top_k=3))
        assert playground.settings == controls.settings


async def test_each_control_has_a_branch_of_its_own(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        playground, controls = player.playground, player.play.controls
        count = await stopped_with_replay_on(player)
        for field, by in (("top_k", 1), ("temperature", 1), ("temperature", -1)):
            while controls.control.field != field:
                await player.press("down")
            controls.change(by)
            await player.until(lambda: playground.state is State.RESTING)
        assert playground.writer.text == written_with(shipped, count, top_k=10)
        assert [branch.origin for branch in playground.tree] == ["start", "replay top-k", "replay temperature"]


async def test_undo_brings_the_earlier_page_back_and_the_controls_that_wrote_it(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        await player.press("right")
        await player.until(lambda: player.playground.writer.text == written_with(shipped, count, top_k=10))
        await player.press("u")
        assert player.playground.settings.top_k == player.play.controls.settings.top_k == 5
        assert player.playground.writer.text == written_with(shipped, count)


async def test_reroll_and_another_prime_are_written_at_once_and_as_long_as_what_stood_there(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        player.app.clock.now = 0.0
        await player.press("r")
        await player.until(lambda: player.playground.writer.text == written_with(shipped, count, seed=99))
        player.pane.prime_field.prime = ""
        await player.press("p", "b", "a", "d", "enter")
        await player.until(lambda: player.playground.writer.prime == "bad" and player.playground.writer.count >= count)
        written = player.playground.writer.text
        assert written == written_with(shipped, len(written), seed=99, prime="bad")


async def test_the_reader_stays_where_the_cursor_was(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await stopped_with_replay_on(player)
        await player.press("i", "home", "right", "right", "right")
        place = player.pane.text_view.cursor
        player.play.action_control("change", 1)
        await player.until(lambda: player.playground.tree.current.origin == "replay top-k")
        assert player.pane.text_view.cursor == place
        inspection = player.play.inspector.inspection
        assert inspection is not None
        assert (
            inspection.token_id == player.playground.writer.generated.ids[place - len(player.playground.writer.prime)]
        )


async def test_with_replay_off_again_a_control_acts_on_what_follows(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        await player.press("a", "right", "g")
        await player.written(count + 5)
        assert player.playground.writer.text[:count] == written_with(shipped, count)
        assert [mark.label for mark in player.pane.text_view.marks] == ["top-k 10"]


async def test_live_weights_of_a_training_are_not_replayed_but_marked(backend: ScriptedBackend) -> None:
    backend.ship(tiny_checkpoint())
    async with playing(backend) as player:
        await stopped_with_replay_on(player)
        generated = player.playground.writer.generated
        generated.change_network(generated.network, generated.snapshot_at(len(generated)).state)
        await player.press("right")
        assert [mark.label for mark in player.pane.text_view.marks] == ["top-k 10"]
        assert "replaying" not in screen_text(player.app)
