"""Replay: with it on, a changed control re-writes the page from its prime, with the same seed."""

import gc
import threading
import weakref
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground.controls import BIG_STEP, TOP_K
from charrnn_tui.playground.preparation import Abandoned
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.lstm import CharLSTM, LSTMState
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.tui.play.replaying_desk import Rewriting
from tests.playground.scripted_backend import ScriptedBackend, ScriptedRun, tiny_checkpoint
from tests.tui.pilot import screen_text
from tests.tui.play.player import Player, playing


def written_with(
    checkpoint: Checkpoint, count: int, *, prime: str = "a", seed: int = 42, **settings: float | None
) -> str:
    """What these settings write from the start."""
    chosen = SamplingSettings(**({"temperature": 0.8, "top_k": 5} | settings))
    sampler = Sampler(CharLSTM(checkpoint), checkpoint.vocabulary, chosen, seed=seed, prime=prime)
    return "".join(character.character for character in islice(sampler, count))


async def stopped_with_replay_on(player: Player) -> int:
    await player.written(40)
    await player.stop()
    await player.press("a")
    assert player.desk.settings.replay
    return player.desk.writer.count


async def test_a_changed_control_rewrites_the_page_with_the_same_seed(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        await player.press("down", "right", "right")
        await player.until(lambda: player.desk.writer.text == written_with(shipped, count, temperature=0.9))
        assert not player.desk.writer.writing
        assert player.desk.text_view.text == player.desk.text
        assert not player.desk.text_view.marks


async def test_a_key_held_down_ends_at_the_last_value_and_on_one_branch(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        await player.press("down", *["right"] * 12)
        await player.until(lambda: player.desk.writer.text == written_with(shipped, count, temperature=1.4))
        assert [branch.origin for branch in player.desk.branches] == ["start", "replay temperature"]


async def test_a_key_pressed_before_a_new_page_is_announced_is_not_lost(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        desk, controls = player.desk, player.play.controls
        count = await stopped_with_replay_on(player)
        await player.until(lambda: all(page.done for page in desk._foreseen))
        controls.settings = desk.settings = TOP_K.step(desk.settings, 1)  # a page that is ready is turned at once
        controls.change(-1)
        controls.change(-1)
        await player.until(lambda: desk.writer.text == written_with(shipped, count, top_k=3))
        assert desk.settings == controls.settings


async def test_undo_brings_the_earlier_page_back_and_the_controls_that_wrote_it(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        await player.press("right")
        await player.until(lambda: player.desk.writer.text == written_with(shipped, count, top_k=10))
        await player.press("u")
        assert player.desk.settings.top_k == player.play.controls.settings.top_k == 5
        assert player.desk.writer.text == written_with(shipped, count)


async def test_reroll_and_another_prime_are_written_at_once_and_as_long_as_what_stood_there(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        player.app.clock.now = 0.0
        await player.press("r")
        await player.until(lambda: player.desk.writer.text == written_with(shipped, count, seed=99))
        player.desk.prime_field.prime = ""
        await player.press("p", "b", "a", "d", "enter")
        await player.until(lambda: player.desk.writer.prime == "bad" and player.desk.writer.count >= count)
        written = player.desk.writer.text
        assert written == written_with(shipped, len(written), seed=99, prime="bad")


async def test_the_reader_stays_where_the_cursor_was(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await stopped_with_replay_on(player)
        await player.press("i", "home", "right", "right", "right")
        place = player.desk.text_view.cursor
        player.play.action_change(1)
        await player.until(lambda: player.desk.branches.current.origin == "replay top-k")
        assert player.desk.text_view.cursor == place
        finding = player.play.inspector.finding
        assert finding is not None
        assert finding.inspection is not None
        assert finding.inspection.token_id == player.desk.writer.page.ids[place - len(player.desk.writer.prime)]


async def test_with_replay_off_again_a_control_acts_on_what_follows(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        await player.press("a", "right", "g")
        await player.written(count + 5)
        assert player.desk.writer.text[:count] == written_with(shipped, count)
        assert [mark.label for mark in player.desk.text_view.marks] == ["top-k 10"]


async def test_live_weights_of_a_training_are_not_replayed_but_marked(backend: ScriptedBackend) -> None:
    backend.ship(tiny_checkpoint())
    async with playing(backend) as player:
        await stopped_with_replay_on(player)
        page = player.desk.writer.page
        page.change_network(page.network, page.snapshot_at(len(page)).state)
        await player.press("right")
        assert [mark.label for mark in player.desk.text_view.marks] == ["top-k 10"]
        assert "writing again" not in screen_text(player.app)


async def test_the_next_step_of_a_control_is_foreseen_and_shown_without_waiting(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        count = await stopped_with_replay_on(player)
        for keys, top_k in ((["right"], 10), (["left"], 5), (["left"], 3)):
            await player.until(lambda: player.desk._foreseen and all(page.done for page in player.desk._foreseen))
            player.play.controls.change(1 if keys == ["right"] else -1)
            await player.pilot.pause()
            assert player.desk._rewriting is None
            assert player.desk.writer.text == written_with(shipped, count, top_k=top_k)
        await player.press("g")
        assert not player.desk._foreseen


@pytest.mark.parametrize("presses", [(1, 1), (-1, -1), (1, -1, -1), (BIG_STEP,), (-BIG_STEP,)])
async def test_keys_in_quick_succession_meet_pages_that_are_ready(
    backend: ScriptedBackend, shipped: Checkpoint, presses: tuple[int, ...]
) -> None:
    async with playing(backend) as player:
        desk, controls = player.desk, player.play.controls
        count = await stopped_with_replay_on(player)
        await player.until(lambda: desk._foreseen and all(page.done for page in desk._foreseen))
        ready = {found.made_with for found in desk._foreseen}
        for by in presses:
            controls.change(by)
            await player.until(lambda: desk.settings == controls.settings and desk._rewriting is None)
        assert (desk.settings.sampling, desk.settings.seed, count) in ready
        assert desk.writer.text == written_with(shipped, count, top_k=desk.settings.top_k)


async def test_a_step_of_another_control_meets_a_page_that_is_ready(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        desk = player.desk
        count = await stopped_with_replay_on(player)
        await player.until(lambda: desk._foreseen and all(page.done for page in desk._foreseen))
        ready = {found.made_with for found in desk._foreseen}
        await player.press("down", "right")
        await player.until(lambda: desk.writer.text == written_with(shipped, count, temperature=0.85))
        assert (desk.settings.sampling, desk.settings.seed, count) in ready


async def test_a_page_that_was_left_is_met_again_without_writing_it_and_is_not_what_was_written_on(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        desk, controls = player.desk, player.play.controls
        count = await stopped_with_replay_on(player)
        await player.until(lambda: desk._foreseen and all(page.done for page in desk._foreseen))
        for top_k in (10, 20, 50, 20, 10):
            controls.change(1 if desk.settings.top_k < top_k else -1)
            await player.until(lambda: desk.settings == controls.settings and desk._rewriting is None)
            left = [found for found in desk._foreseen if found.made_with[0] == desk.settings.sampling]
            assert desk.writer.text == written_with(shipped, count, top_k=top_k)
        assert len(left) == 1
        kept = left[0]
        await player.press("g")
        await player.written(count + 5)
        assert len(kept.page) == len(kept.result()[0]) == count


async def test_a_page_met_again_by_another_control_is_that_control_s_branch(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        desk, controls = player.desk, player.play.controls
        count = await stopped_with_replay_on(player)
        for knob, by in (("top_k", 1), ("temperature", 1), ("temperature", -1)):
            while controls.knob.field != knob:
                await player.press("down")
            controls.change(by)
            await player.until(lambda: desk.settings == controls.settings and desk._rewriting is None)
        assert desk.writer.text == written_with(shipped, count, top_k=10)
        assert [branch.origin for branch in desk.branches] == ["start", "replay top-k", "replay temperature"]


@pytest.mark.parametrize("given_up", [False, True])
def test_a_page_behind_another_begins_when_that_is_done_or_given_up(given_up: bool) -> None:
    checkpoint, go_on, steps = tiny_checkpoint(), threading.Event(), list[int]()

    class Held(CharLSTM):
        def advance(self, ids: int | NDArray[np.integer], state: LSTMState) -> LSTMState:
            if threading.current_thread() is not threading.main_thread():
                steps.append(threading.get_ident())
                go_on.wait(60)
            return super().advance(ids, state)

    page = GeneratedText(Sampler(Held(checkpoint), checkpoint.vocabulary, seed=1, prime="a"), "a", 1)
    first = Rewriting(page, SamplingSettings(), 1, 50, None)
    second = Rewriting(page, SamplingSettings(top_k=3), 1, 50, None, behind=first)
    if given_up:
        first.abandon()
    go_on.set()
    assert len(second_page := wait_for(second)) == 50
    assert second_page.settings[0].value.top_k == 3
    assert steps == sorted(steps, key=lambda thread: thread == steps[-1])  # never by turns
    if given_up:
        with pytest.raises(Abandoned):
            first.result()


def test_a_page_that_is_wanted_in_the_middle_is_finished_by_another_thread() -> None:
    checkpoint, go_on, threads = tiny_checkpoint(), threading.Event(), list[int]()

    class Held(CharLSTM):
        def advance(self, ids: int | NDArray[np.integer], state: LSTMState) -> LSTMState:
            if threading.current_thread() is not threading.main_thread():
                threads.append(threading.get_ident())
                if len(threads) == 20:
                    go_on.wait(60)
            return super().advance(ids, state)

    page = GeneratedText(Sampler(Held(checkpoint), checkpoint.vocabulary, seed=1, prime="a"), "a", 1)
    ahead = Rewriting(page, SamplingSettings(), 1, 50, None, ahead=True)
    while len(threads) < 20:
        ahead._job._thread.join(0.01)
    ahead.hurry()
    go_on.set()
    written = wait_for(ahead)
    assert threads[:20] == [threads[0]] * 20
    assert threads[0] not in threads[20:]  # the thread that came last ends with the character at hand
    assert written.ids == wait_for(Rewriting(page, SamplingSettings(), 1, 50, None)).ids


def test_pages_that_waited_for_each_other_do_not_keep_each_other_in_memory() -> None:
    checkpoint = tiny_checkpoint()
    page = GeneratedText(Sampler(CharLSTM(checkpoint), checkpoint.vocabulary, seed=1, prime="a"), "a", 1)
    last, pages = None, []
    for _ in range(5):
        last = Rewriting(page, SamplingSettings(), 1, 20, None, ahead=True, behind=last)
        last._job.wait()
        pages.append(weakref.ref(last.page))
    gc.collect()
    assert [found() is not None for found in pages] == [False, False, False, False, True]


def wait_for(rewriting: Rewriting) -> GeneratedText:
    rewriting._job.wait()
    return rewriting.result()[0]


async def test_nothing_is_foreseen_beside_a_training(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    run = ScriptedRun(backend.add_run("mine-1", tiny_checkpoint()))
    async with playing(backend, run=run) as player:
        await stopped_with_replay_on(player)
        assert not player.desk._foreseen
        run.done = True
        await player.press("down")
        assert player.desk._foreseen
