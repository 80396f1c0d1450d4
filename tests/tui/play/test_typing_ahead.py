"""Keys that come in one piece, as from a slow line: each goes where it would have gone typed slowly."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.compare.screen import CompareScreen
from charrnn_tui.tui.dialogs.edit_text import EditText
from charrnn_tui.tui.dialogs.model_menu import ModelMenu
from charrnn_tui.tui.dialogs.palette import Palette
from charrnn_tui.tui.dialogs.save_text import SaveText
from charrnn_tui.tui.play.prime_input import PrimeInput
from charrnn_tui.tui.play.screen import PlayScreen
from charrnn_tui.tui.runs.screen import RunsScreen
from charrnn_tui.tui.train.screen import TrainScreen
from tests.playground.scripted_backend import tiny_checkpoint
from tests.tui.pilot import screen_text, until
from tests.tui.scripted_training import TrainingBackend

NAMES = {"\r": "enter", "\x7f": "backspace", "\t": "tab", "/": "slash", ".": "full_stop", "?": "question_mark"}
NAMES |= {"|": "vertical_line", ":": "colon", " ": "space", "F2": "f2"}


@pytest.fixture
def app(tmp_path: Path) -> StudioApp:
    backend = TrainingBackend(tmp_path / "runs")
    backend.add_run("abc", tiny_checkpoint())
    return StudioApp(backend, Opening(checkpoint=backend.ship(tiny_checkpoint())))


async def play_of(app: StudioApp, pilot: Pilot[None]) -> PlayScreen:
    await until(pilot, lambda: isinstance(app.screen, PlayScreen) and app.screen.playground.writer.count)
    assert isinstance(app.screen, PlayScreen)
    return app.screen


def burst(app: StudioApp, keys: Iterable[str]) -> None:
    """All of them before the first one is looked at."""
    for key in keys:
        app.post_message(events.Key(NAMES.get(key, key), key))


async def test_what_is_typed_right_behind_p_is_the_prime(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        play.pane.prime_field.prime = ""
        burst(app, "page? gd")
        await until(pilot, lambda: play.query_one(PrimeInput).value == "age? gd")
        assert app.screen is play
        assert not play.controls.settings.replay


async def test_enter_behind_it_ends_the_field_and_what_follows_are_keys_again(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        play.pane.prime_field.prime = ""
        burst(app, "pabx\x7fc\r")
        await until(
            pilot, lambda: play.playground.writer.prime == "abc" and play.focused is not play.query_one(PrimeInput)
        )


async def test_what_is_typed_right_behind_enter_is_the_value_of_the_control(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        burst(app, "\r12\x7f7\r")
        await until(pilot, lambda: play.controls.settings.sampling.top_k == 17)


async def test_a_letter_behind_two_backspaces_stays(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        burst(app, "\r12\x7f\x7f7\r")
        await until(pilot, lambda: play.controls.settings.sampling.top_k == 7)


async def test_what_is_typed_right_behind_the_slash_filters_the_runs(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "1 run" in screen_text(app))
        burst(app, "/spdxnq")
        await until(pilot, lambda: app.screen.query_one("#filter", Input).value == "spdxnq")
        assert isinstance(app.screen, RunsScreen)


async def test_what_is_typed_right_behind_3_is_a_key_of_the_runs(app: StudioApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await play_of(app, pilot)
        burst(app, "3q")
        await until(pilot, lambda: app.ending)
        assert app.runs.query_one(Input).value == ""


async def test_beside_another_text_too_what_is_typed_right_behind_p_is_the_prime(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        await play_of(app, pilot)
        await pilot.press("vertical_line")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and not app.screen.comparison.side.busy)
        beside = app.screen
        assert isinstance(beside, CompareScreen)
        beside.prime_field.prime = ""
        burst(app, "pmrx|d")
        await until(pilot, lambda: beside.prime_field.prime == "mrx|d")
        assert app.screen is beside


async def test_what_is_typed_right_behind_w_is_the_name_of_the_file(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        await play_of(app, pilot)
        burst(app, "wmy text.svg")
        await until(pilot, lambda: field_of(app, SaveText).value == "my text.svg")


async def test_what_is_typed_right_behind_f2_is_the_file_of_the_prime(app: StudioApp, tmp_path: Path) -> None:
    (tmp_path / "prime.txt").write_text("abba")
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        burst(app, ["F2", *str(tmp_path / "prime.txt"), "\r"])
        await until(pilot, lambda: play.playground.writer.prime == "abba" and app.screen is play)


async def test_what_is_typed_right_behind_the_slash_is_a_symbol(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        burst(app, "/bx")
        await until(pilot, lambda: "▸ b" in screen_text(app).replace("✶", " ") and not play.inspector.asking)


async def test_what_is_typed_right_behind_e_is_in_the_line(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        await play_of(app, pilot)
        burst(app, "efade")
        await until(pilot, lambda: isinstance(app.screen, EditText) and app.screen.query(PrimeInput))
        await until(pilot, lambda: "fade" in app.screen.query_one(PrimeInput).value)


async def test_what_is_typed_right_behind_tab_in_the_menu_of_models_is_a_file(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        await play_of(app, pilot)
        burst(app, "m\tmodel.net")
        await until(pilot, lambda: field_of(app, ModelMenu).value == "model.net")


async def test_what_is_typed_right_behind_the_colon_looks_for_a_command(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        await play_of(app, pilot)
        burst(app, ":reroll")
        await until(pilot, lambda: field_of(app, Palette).value == "reroll")


async def test_what_is_typed_right_behind_n_is_a_note_and_behind_upper_n_a_name(app: StudioApp, tmp_path: Path) -> None:
    async with app.run_test() as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "1 run" in screen_text(app))
        burst(app, "na quiet one\r")
        await until(pilot, lambda: "a quiet one" in screen_text(app) and isinstance(app.screen, RunsScreen))
        burst(app, "Nbert\r")
        await until(pilot, (tmp_path / "runs" / "bert").is_dir)


async def test_what_is_typed_right_behind_1_is_the_text_to_train_on(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        await play_of(app, pilot)
        burst(app, "1book.txt")
        await until(pilot, lambda: field_of(app, TrainScreen).value == "book.txt")


async def test_a_field_keeps_what_comes_in_pieces(app: StudioApp) -> None:
    """Who opens a field by a key has it selected at once, not a moment later, with the first letters in it."""
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        for key, keys in (("w", "ab"), ("enter", "12")):
            burst(app, [key, keys[0]])
            await until(pilot, lambda: isinstance(app.focused, Input))
            await pilot.pause()
            await pilot.press(keys[1])
            assert isinstance(app.focused, Input)
            assert app.focused.value == keys
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is play and not isinstance(app.focused, Input))


def field_of(app: StudioApp, screen: type[Screen[Any]]) -> Input:
    """The first field of the screen, once it is up; until then one that never holds anything."""
    return app.screen.query(Input).first() if isinstance(app.screen, screen) and app.screen.query(Input) else Input()


async def test_a_symbol_is_found_and_forked_by_keys_that_move_the_focus(app: StudioApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        play = await play_of(app, pilot)
        burst(app, "gi")
        await until(pilot, lambda: play.inspecting and play.inspector.inspection)
        burst(app, "\r/c\r")
        await until(pilot, lambda: len(list(play.playground.tree)) == 2)
        branch = play.playground.tree.current
        assert branch is not None
        assert branch.generated.text[branch.position] == "c"
