"""Keys that come in one piece, as from a slow line: each goes where it would have gone typed slowly."""

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.screens.play import PlayScreen
from charrnn_tui.tui.screens.runs import RunsScreen
from charrnn_tui.tui.screens.side_by_side import SideBySide
from charrnn_tui.tui.widgets.prime_editor import PrimeEditor
from tests.tui.scripted_training import TrainingWorld
from tests.tui.scripted_world import screen_text, tiny_checkpoint, until

NAMES = {"\r": "enter", "\x7f": "backspace", "/": "slash", ".": "full_stop", "?": "question_mark", "|": "vertical_line"}


@pytest.fixture
def app(tmp_path: Path) -> StudioApp:
    world = TrainingWorld(tmp_path / "runs")
    world.add_run("abc", tiny_checkpoint())
    return StudioApp(world, Opening(checkpoint=world.ship(tiny_checkpoint())))


async def play_of(app: StudioApp, pilot: Pilot[None]) -> PlayScreen:
    await until(pilot, lambda: isinstance(app.screen, PlayScreen) and app.screen.desk.writer.count)
    assert isinstance(app.screen, PlayScreen)
    return app.screen


def burst(app: StudioApp, keys: str) -> None:
    """All of them before the first one is looked at."""
    for key in keys:
        app.post_message(events.Key(NAMES.get(key, key), key))


async def test_what_is_typed_right_behind_p_is_the_prime(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        play.desk.prime_field.prime = ""
        burst(app, "page? gd")
        await until(pilot, lambda: play.query_one(PrimeEditor).value == "age? gd")
        assert app.screen is play
        assert not play.controls.settings.replay


async def test_enter_behind_it_ends_the_field_and_what_follows_are_keys_again(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        play.desk.prime_field.prime = ""
        burst(app, "pabx\x7fc\r")
        await until(pilot, lambda: play.desk.writer.prime == "abc" and play.focused is not play.query_one(PrimeEditor))


async def test_what_is_typed_right_behind_enter_is_the_value_of_the_control(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        play = await play_of(app, pilot)
        burst(app, "\r12\x7f7\r")
        await until(pilot, lambda: play.controls.settings.sampling.top_k == 17)


async def test_what_is_typed_right_behind_the_slash_filters_the_runs(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "1 run" in screen_text(app))
        burst(app, "/spdxnq")
        await until(pilot, lambda: app.screen.query_one("#filter", Input).value == "spdxnq")
        assert isinstance(app.screen, RunsScreen)


async def test_beside_another_text_too_what_is_typed_right_behind_p_is_the_prime(app: StudioApp) -> None:
    async with app.run_test() as pilot:
        await play_of(app, pilot)
        await pilot.press("vertical_line")
        await until(pilot, lambda: isinstance(app.screen, SideBySide) and not app.screen.comparison.side.busy)
        beside = app.screen
        assert isinstance(beside, SideBySide)
        beside.prime_field.prime = ""
        burst(app, "pmrx|d")
        await until(pilot, lambda: beside.prime_field.prime == "mrx|d")
        assert app.screen is beside
