"""The playground, played by keys."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground.controls import BAN, CONTROLS, DEFAULTS, STOP, TOP_K
from charrnn_tui.playground.models import ModelSource
from charrnn_tui.playground.text_export import COPY_FILE
from charrnn_tui.run.quantities import nats
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.tui.dialogs.model_menu import ModelMenu
from charrnn_tui.tui.dialogs.save_text import SaveText, proposed_name
from charrnn_tui.tui.textview.visible import symbol_of
from tests.playground.scripted_backend import ScriptedBackend, ScriptedRun, tiny_checkpoint
from tests.tui.pilot import screen_text
from tests.tui.play.player import DEFAULT, playing


def sampler(checkpoint: Checkpoint, seed: int = 42, prime: str = "") -> Sampler:
    return Sampler(
        CharModel(checkpoint), checkpoint.vocabulary, DEFAULT, seed=seed, prime=checkpoint.vocabulary.known_part(prime)
    )


def expected(checkpoint: Checkpoint, count: int, seed: int = 42, prime: str = "") -> str:
    return "".join(character.character for character in islice(sampler(checkpoint, seed, prime), count))


async def test_it_writes_as_soon_as_it_is_opened(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written()
        prime = player.playground.writer.prime
        assert prime == "a"  # of "Anna", which suits the shipped model, this one knows no more
        text = await player.stop()
        assert text == expected(shipped, len(text), prime="Anna")
        assert "tiny (shipped) 2×8 · val 1.284 nats/char" in screen_text(player.app)


async def test_a_control_changed_in_mid_stream_changes_only_what_follows(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written()
        before = await player.stop()
        await player.press("down", *["right"] * 10, "g")
        await player.written(len(before) + 40)
        after = await player.stop()
        reference = sampler(shipped, prime="Anna")
        assert before == "".join(next(reference).character for _ in before)
        reference.settings = SamplingSettings(temperature=1.3, top_k=5)
        assert after[len(before) :] == "".join(next(reference).character for _ in after[len(before) :])
        assert {mark.position for mark in player.pane.text_view.marks} == {
            len(player.playground.writer.prime) + len(before)
        }


async def test_a_typed_prime_starts_over_by_itself(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.press("p")
        player.pane.prime_field.prime = ""
        await player.press("b", "a", "d")
        await player.until(lambda: player.playground.writer.prime == "bad")
        await player.written()
        await player.press("escape")
        text = await player.stop()
        assert text == expected(shipped, len(text), prime="bad")
        assert player.pane.text_view.text == "bad" + text
        assert player.pane.text_view.prime_length == 3


async def test_enter_in_the_prime_goes_back_to_the_controls(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.press("p", "c", "enter")
        await player.until(lambda: player.playground.writer.prime == "ac")
        assert player.app.focused is player.play.controls


async def test_unknown_characters_of_a_prime_are_named_and_skipped(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.press("p")
        player.pane.prime_field.prime = "béa\x1b"
        await player.until(lambda: "F6 replaces é → e; nothing near: ␛ (U+001B)" in screen_text(player.app))
        await player.press("enter")
        await player.until(lambda: player.playground.writer.prime == "ba")
        await player.written()
        text = await player.stop()
        assert text == expected(shipped, len(text), prime="ba")


async def test_reroll_shows_another_seed_and_replay_writes_the_same_again(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.press("r")
        await player.written()
        text = await player.stop()
        assert text == expected(shipped, len(text), seed=99, prime="Anna")
        assert "seed 99" in screen_text(player.app)
        await player.press("R")
        await player.written(len(text))
        assert player.playground.writer.text.startswith(text)


async def test_a_value_can_be_typed_and_nonsense_changes_nothing(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.press("enter", "x", "enter")
        assert "top-k: a whole number" in screen_text(player.app)
        assert player.play.controls.settings.top_k == 5
        await player.press("backspace", "7", "enter")
        assert player.playground.settings.top_k == player.play.controls.settings.top_k == 7
        assert player.app.focused is player.play.controls
        await player.press("backspace")
        assert player.playground.settings.top_k == 5


async def test_a_page_ends_with_a_rest_and_says_how_to_go_on(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(10)
        await player.press("up", "enter", "3", "0", "enter")
        await player.until(lambda: player.playground.writer.resting)
        await player.until(lambda: "page full, press g to continue" in screen_text(player.app))
        await player.press("g")
        await player.written(60)


async def test_without_any_model_it_says_what_to_do(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        await player.until(lambda: "no model yet: 1 trains one, m opens a file" in screen_text(player.app))


async def test_the_newest_run_of_ones_own_comes_before_the_shipped_model(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    backend.add_run("mine-1", tiny_checkpoint(seed=1))
    async with playing(backend) as player:
        await player.written()
        assert "mine-1 · best 2×8" in screen_text(player.app)


async def test_the_menu_says_in_a_line_what_cannot_be_opened_and_nothing_is_lost(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written()
        text = player.playground.writer.text
        await player.press("m")
        assert isinstance(player.app.screen, ModelMenu)
        player.app.screen.query_one(Input).focus()
        await player.press("x", "enter")
        await player.until(lambda: "x: no such file" in screen_text(player.app))
        await player.press("escape")
        await player.written(len(text) + 30)
        assert player.playground.writer.text.startswith(text)


async def test_an_accepted_key_that_changes_nothing_says_why(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.press("backspace")
        assert player.app.told[-1] == "top-k stays 5, its default"
        await player.press(*["left"] * 4)
        assert player.app.told[-1] == "top-k stays 1, the end of its values"
        await player.press("u")
        assert player.app.told[-1] == "nothing to undo"


async def test_keys_without_a_model_say_so(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        await player.until(lambda: player.playground.problem)
        for key in ("g", "R", "vertical_line", "b", "e", "w", "f3"):
            player.app.told.clear()
            await player.press(key)
            assert len(player.app.told) == 1, key


async def test_another_model_is_chosen_from_the_menu(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    other = tiny_checkpoint(seed=5)
    backend.add_run("mine-1", other)
    async with playing(backend, source=ModelSource("shipped", Path("tiny.safetensors"))) as player:
        await player.written()
        await player.press("m")
        options = player.app.screen.query_one(OptionList)
        await player.until(lambda: options.option_count == 2)
        assert options.highlighted == 0  # the one that is playing
        await player.press("down", "enter")
        await player.until(lambda: "mine-1 · best" in screen_text(player.app))
        await player.written()
        text = await player.stop()
        assert text == expected(other, len(text))


async def test_live_weights_are_waited_for_and_then_kept_fresh(backend: ScriptedBackend) -> None:
    run = ScriptedRun(backend.add_run("mine-1", tiny_checkpoint()))
    live = ModelSource("live", run.directory.path)
    async with playing(backend, run=run, source=live) as player:
        await player.until(lambda: "waiting for the trainer's weights" in screen_text(player.app))
        assert run.answer(tiny_checkpoint(seed=1, step=1240))
        await player.until(lambda: "mine-1 · live @ step 1,240 2×8" in screen_text(player.app))
        await player.written(40)
        text = player.playground.writer.text
        await player.until(lambda: run.answer(tiny_checkpoint(seed=2, step=1300)))
        await player.until(lambda: "@ step 1,300" in screen_text(player.app))
        assert player.playground.writer.text.startswith(text)
        assert "weights of step 1300" in [mark.label for mark in player.pane.text_view.marks]


async def test_a_replay_with_live_weights_takes_the_newest(backend: ScriptedBackend) -> None:
    run = ScriptedRun(backend.add_run("mine-1", tiny_checkpoint()))
    newer = tiny_checkpoint(seed=3, step=20)
    async with playing(backend, run=run, source=ModelSource("live", run.directory.path)) as player:
        await player.until(lambda: run.answer(tiny_checkpoint(seed=1, step=10)))
        await player.written()
        await player.press("R")
        await player.until(lambda: run.answer(newer))
        await player.until(lambda: player.playground.writer.writing and "@ step 20" in screen_text(player.app))
        await player.written()
        text = await player.stop()
        assert text == expected(newer, len(text))


async def test_a_training_that_ends_without_an_answer_leaves_its_last_checkpoint(backend: ScriptedBackend) -> None:
    run = ScriptedRun(backend.add_run("mine-1", tiny_checkpoint()))
    backend.checkpoints[run.directory.last_file] = last = tiny_checkpoint(seed=8)
    async with playing(backend, run=run, source=ModelSource("live", run.directory.path)) as player:
        await player.until(lambda: "waiting for the trainer's weights" in screen_text(player.app))
        run.done = True
        await player.written()
        text = await player.stop()
        assert text == expected(last, len(text))
        assert "mine-1 · last" in screen_text(player.app)


async def test_what_the_weights_make_impossible_is_said_in_the_status_line(backend: ScriptedBackend) -> None:
    broken = tiny_checkpoint()
    broken.weights["fc.bias"][0] = float("nan")
    backend.ship(broken)
    async with playing(backend) as player:
        await player.until(lambda: "diverged in training" in screen_text(player.app))


async def test_the_text_is_written_raw_to_a_file_and_never_over_another_without_asking(
    backend: ScriptedBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    backend.ship(tiny_checkpoint("\n\x1b\u202eab"))
    (tmp_path / "tiny-1.txt").write_text("mine")
    async with playing(backend) as player:
        await player.written(60)
        await player.stop()
        text = player.playground.text
        await player.press("w")
        assert isinstance(player.app.screen, SaveText)
        assert player.app.screen.query_one(Input).value == "tiny-2.txt"
        player.app.screen.query_one(Input).value = "tiny-1.txt"
        await player.press("enter")
        await player.until(lambda: "Enter again replaces it" in screen_text(player.app))
        assert (tmp_path / "tiny-1.txt").read_text() == "mine"
        await player.press("enter")
        await player.until(lambda: player.app.screen is player.play)
        assert (tmp_path / "tiny-1.txt").read_bytes() == text.encode()
        assert "\x1b" in text


async def test_a_copy_goes_to_the_terminal_and_to_a_file(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.stop()
        await player.press("y")
        assert player.app.clipboard == player.playground.text
        assert (backend.runs_directory / COPY_FILE).read_bytes() == player.playground.text.encode()


async def test_no_raw_control_character_reaches_the_screen(backend: ScriptedBackend) -> None:
    nasty = "\x00\x07\x1b\x9b\u202e\u200f\u2028ab"
    backend.ship(tiny_checkpoint(nasty))
    for size in ((80, 24), (120, 40)):
        async with playing(backend, size=size) as player:
            await player.written(200)
            player.pane.prime_field.prime = nasty
            await player.press("c")
            await player.stop()
            shown = screen_text(player.app)
            assert set(player.playground.writer.text) & set("\x1b\u202e")
            assert not set(shown) & set(nasty.removesuffix("ab"))


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 12), (60, 18), (80, 24), (99, 9), (100, 24), (300, 100)])
async def test_any_size_of_terminal_will_do(
    backend: ScriptedBackend, shipped: Checkpoint, size: tuple[int, int]
) -> None:
    async with playing(backend, size=size) as player:
        await player.written()
        await player.press("down", "right", "c", "p", "escape", "m", "escape", "up", "left")
        await player.pilot.resize_terminal(90, 30)
        await player.written(player.playground.writer.count + 10)
        await player.pilot.resize_terminal(*size)
        await player.stop()
        assert player.app.is_running


async def test_a_terminal_that_shrinks_does_not_turn_keys_into_text(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.pilot.resize_terminal(20, 5)
        await player.stop()
        await player.pilot.resize_terminal(80, 24)
        await player.press("g")
        await player.written(player.playground.writer.count + 10)


async def test_what_may_come_next_follows_the_text(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(30)
        await player.stop()
        sampler = player.playground.writer.sampler
        symbol, share = (
            symbol_of(sampler.vocabulary.tokens[sampler.distribution.order[0]]),
            sampler.distribution.after_at(0),
        )
        await player.until(lambda: f"next {symbol} {share:.0%} " in screen_text(player.app))
        bits = sampler.distribution.entropy_bits
        assert f"entropy {nats(bits):.1f} nats · kept " in screen_text(player.app)


async def test_the_footer_of_a_small_terminal_shows_the_main_keys(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written()
        footer = screen_text(player.app).splitlines()[-1]
        keys = ["g Stop", "r Reroll", "R Replay", "p Prime", "i Inspect", "l Lens", "m Model"]
        assert footer.split() == " ".join(keys).split()
        await player.stop()
        await player.until(lambda: "g Go on" in screen_text(player.app).splitlines()[-1])


async def test_the_mouse_chooses_and_changes(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend, size=(120, 40)) as player:
        await player.written()
        rows = player.play.controls.rows
        await player.pilot.click(rows, offset=(3, 1))
        assert player.play.controls.control.field == "temperature"
        await player.pilot.click(rows, offset=(29, 1))
        await player.pilot.pause()
        assert player.playground.settings.temperature == 0.85
        await player.pilot.click(rows, offset=(22, 1))
        await player.pilot.click(rows, offset=(22, 1))
        await player.pilot.pause()
        assert player.playground.settings.temperature == 0.75


async def test_nothing_is_written_while_another_screen_is_shown(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.press("w")
        count = player.playground.writer.count
        for _ in range(20):
            player.app.clock.now += 0.1
            await player.pilot.pause(0.01)
        assert player.playground.writer.count == count
        await player.press("escape")
        await player.written(count + 10)


def test_a_proposed_file_name_is_free_and_harmless(tmp_path: Path) -> None:
    (tmp_path / "a-b-1.txt").touch()
    assert proposed_name(tmp_path, "a/b") == "a-b-2.txt"


async def test_a_typed_value_goes_to_the_control_that_the_field_was_opened_for(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written()
        await player.press("enter", "down")
        assert player.play.controls.control is TOP_K
        await player.press("end", *["backspace"] * 8, "3", "enter")
        assert player.playground.settings == replace(DEFAULTS, top_k=3)


async def test_a_ban_is_typed_and_one_that_the_model_cannot_follow_is_refused(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written(10)
        await player.stop()
        player.play.controls.chosen = CONTROLS.index(BAN)
        await player.press("right")
        assert player.app.told[-1] == "ban stays off, Enter types a value"
        await player.press("enter", "x", "enter")
        assert "ban has characters not in the model's alphabet: 'x' (U+0078)" in screen_text(player.app)
        assert player.playground.settings.ban is None
        await player.press("backspace", "a", "b", "backslash", "n", "enter")
        assert player.playground.settings.ban == "ab\n"
        assert '‹ban "ab\\n"›' in screen_text(player.app)
        await player.press("backspace")
        assert player.playground.settings.ban is None


async def test_a_text_ends_at_its_stop_and_g_goes_on_to_the_next(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(10)
        stop = player.playground.writer.text[9]
        player.play.controls.chosen = CONTROLS.index(STOP)
        await player.press("enter", "space" if stop == " " else stop, "enter", "R")
        assert f'‹stop "{stop}"›' in screen_text(player.app)
        for count in (1, 2):
            await player.until(lambda: player.playground.writer.at_stop)
            await player.until(lambda: "end reached, press g to continue" in screen_text(player.app))
            assert player.playground.writer.text.count(stop) == count
            await player.press("g")
