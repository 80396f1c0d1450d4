"""Dialogs close once, and only themselves."""

import os
from pathlib import Path

import pytest
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input, OptionList

from charrnn_tui.playground.models import ModelSource, source_of
from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.compare.screen import CompareScreen
from charrnn_tui.tui.dialogs.branch_list import BranchList
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.help import HelpDialog, HelpSection
from charrnn_tui.tui.dialogs.palette import Palette
from charrnn_tui.tui.dialogs.path_suggester import PathSuggester
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog
from charrnn_tui.tui.play.screen import PlayScreen
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text, until
from tests.tui.play.player import Player, playing

NOBODY = "~no-such-user/x"


@pytest.fixture
def opened(backend: ScriptedBackend, file: Path) -> ModelSource:
    return ModelSource("file", file)


async def press_at_once(player: Player, *keys: str) -> None:
    """As a slow line brings them: the next one is there before anything has come of the one before."""
    for key in keys:
        player.app.post_message(events.Key(key, None))
    await player.pilot.pause()


@pytest.mark.parametrize("keys", [["enter", "enter"], ["escape", "escape"], ["enter", "escape", "enter"]])
async def test_a_key_pressed_twice_closes_the_tree_once(
    backend: ScriptedBackend, opened: ModelSource, keys: list[str]
) -> None:
    async with playing(backend, source=opened) as player:
        await player.written()
        await player.press("t")
        assert isinstance(player.app.screen, BranchList)
        await press_at_once(player, *keys)
        await player.until(lambda: isinstance(player.app.screen, PlayScreen))


async def test_escape_twice_leaves_the_playground_where_it_was(backend: ScriptedBackend, opened: ModelSource) -> None:
    async with playing(backend, source=opened) as player:
        await player.written()
        await player.press("vertical_line")
        await player.until(lambda: isinstance(player.app.screen, CompareScreen))
        side_by_side = player.app.screen
        assert isinstance(side_by_side, CompareScreen)
        side_by_side.action_leave()
        side_by_side.action_leave()
        await player.until(lambda: isinstance(player.app.screen, PlayScreen))


async def test_what_is_found_behind_the_help_waits_until_the_help_is_closed() -> None:
    answers: list[str | None] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        dialog = ChoiceDialog("sure?", [Choice("s", "stop", "stop")])
        await app.push_screen(dialog, answers.append)
        await app.push_screen(HelpDialog([HelpSection("help", [])]))
        dialog.dismiss("found")
        await pilot.pause()
        assert isinstance(app.screen, HelpDialog)
        assert answers == []
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert answers == ["found"]
        dialog.dismiss("again")
        assert len(app.screen_stack) == 1


async def test_a_page_key_before_the_list_is_laid_out_does_nothing() -> None:
    class ListOfNoSize(App[None]):
        CSS = "ChoiceList { width: 0; height: 0; border: none; padding: 0; }"

        def compose(self) -> ComposeResult:
            yield ChoiceList[str]()

    async with ListOfNoSize().run_test() as pilot:
        choices = pilot.app.query_one(ChoiceList)
        choices.fill([("one", "one"), ("two", "two")], "two")
        await pilot.press("pageup", "pagedown")
        assert choices.highlighted == 1


async def test_a_click_on_a_row_that_is_gone_chooses_nothing() -> None:
    class OneList(App[None]):
        def compose(self) -> ComposeResult:
            yield ChoiceList[str]()

    async with OneList().run_test() as pilot:
        choices = pilot.app.query_one(ChoiceList)
        choices.fill([("one", "one")])
        drawn_before = Style.from_meta({"option": 4})
        choices.post_message(events.Click(choices, 0, 4, 0, 0, 1, False, False, False, style=drawn_before))
        await pilot.pause()
        assert choices.value == "one"


async def test_no_key_acts_while_the_app_ends(backend: ScriptedBackend) -> None:
    backend.ship(tiny_checkpoint())
    app = StudioApp(backend, Opening())
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, PlayScreen))
        app.exit()
        assert not await app.run_action("edit_prime", app.screen)


async def test_the_palette_runs_what_is_chosen_and_themes_are_chosen_in_it(backend: ScriptedBackend) -> None:
    backend.ship(tiny_checkpoint())
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"theme", "enter")
        await until(pilot, lambda: isinstance(app.screen, Palette) and "dracula" in screen_text(app))
        await pilot.press(*"dracul", "enter")
        await until(pilot, lambda: app.theme == "dracula")
        await pilot.press("ctrl+p", *"nothing like it", "enter")
        await until(pilot, lambda: "no command of this name" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PlayScreen))


async def test_a_second_palette_opens_over_one_that_another_mode_has_left_open(backend: ScriptedBackend) -> None:
    backend.ship(tiny_checkpoint())
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, Palette))
        await app.switch_mode("runs")  # as a training that starts meanwhile does
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, Palette))


@pytest.mark.parametrize(
    "keys",
    [["x", "pageup", "pagedown", "backspace", "pageup", "escape"], ["t", "escape", "escape"], ["escape", "escape"]],
)
async def test_keys_faster_than_the_palette_is_drawn_only_close_it(backend: ScriptedBackend, keys: list[str]) -> None:
    backend.ship(tiny_checkpoint())
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(3):
            await pilot.press("colon")
            await until(pilot, lambda: isinstance(app.screen, Palette))
            palette = app.screen
            for key in keys:
                app.post_message(events.Key(key, key if len(key) == 1 else None))
            await until(pilot, lambda: not isinstance(app.screen, Palette))
            assert isinstance(app.screen, PlayScreen)
            assert isinstance(palette, Palette)
            palette.dismiss()
            assert isinstance(app.screen, PlayScreen)


@pytest.mark.parametrize("key", ["ctrl+p", "colon", "f1", "m", "t", "w"])
async def test_a_dialog_asked_for_twice_while_it_opens_opens_once(backend: ScriptedBackend, key: str) -> None:
    backend.ship(tiny_checkpoint())
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.play.playground.writer.count)
        for _ in range(2):
            app.post_message(events.Key(key, None))
        await pilot.pause()
        await until(pilot, lambda: app.play.playground.writer.count)
        assert len(app.screen_stack) <= 2  # a second key may close it again


async def test_the_home_of_nobody_is_a_file_that_is_not_there(backend: ScriptedBackend, opened: ModelSource) -> None:
    assert await PathSuggester().get_suggestion(NOBODY) is None
    assert source_of(NOBODY, backend).path == Path(NOBODY)
    async with playing(backend, source=opened) as player:
        await player.written()
        await player.press("w")
        player.app.screen.query_one(Input).value = NOBODY
        await player.press("enter")
        await player.until(lambda: "cannot be written: No such file" in screen_text(player.app))
        player.app.screen.query_one(Input).value = os.sep + "x" * 5000
        await player.press("enter")
        await player.until(lambda: "cannot be written: File name too long" in screen_text(player.app))


async def test_a_branch_deleted_right_after_it_was_chosen_is_not_opened(
    backend: ScriptedBackend, opened: ModelSource
) -> None:
    async with playing(backend, source=opened) as player:
        await player.written()
        await player.press("r")
        await player.until(lambda: len(list(player.playground.tree)) == 2)
        await player.press("t", "end")
        tree = player.app.screen
        assert isinstance(tree, BranchList)
        chosen = tree.query_one(ChoiceList)
        message = OptionList.OptionSelected(chosen, chosen.options[1], 1)
        tree.action_delete()
        chosen.post_message(message)
        await player.press("escape")
        assert isinstance(player.app.screen, PlayScreen)
        assert len(list(player.playground.tree)) == 1
