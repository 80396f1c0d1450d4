"""Each key is declared once; how it is written and where it acts follow."""

from typing import ClassVar

import pytest
from textual.actions import parse
from textual.app import App, ComposeResult
from textual.widgets import Button, Input

from charrnn_tui.tui.compare.screen import CompareScreen
from charrnn_tui.tui.dialogs.help import help_for
from charrnn_tui.tui.keys import Key, bindings_of, key_name
from charrnn_tui.tui.play.screen import PlayScreen
from charrnn_tui.tui.runs.screen import RunsScreen
from charrnn_tui.tui.studio_screen import StudioScreen
from charrnn_tui.tui.train.screen import TrainScreen
from docs.key_tables import declared_keys


def key(keys: str, action: str = "act", *, in_field: bool | None = None) -> Key:
    return Key(keys, action, "Act", f"Do {action}.", f"test.{keys}", in_field=in_field)


@pytest.mark.parametrize(
    ("textual_name", "written"),
    [
        ("question_mark", "?"),
        ("vertical_line", "|"),
        ("slash", "/"),
        ("R", "R"),
        ("f2", "F2"),
        ("escape", "Esc"),
        ("up", "↑"),
        ("ctrl+p", "Ctrl+P"),
        ("shift+left", "Shift+←"),
        ("alt+enter", "Alt+Enter"),
        ("shift+f3", "Shift+F3"),
        ("upper_n", "N"),
        ("ctrl+upper_n", "Ctrl+N"),
        ("insert", "Insert"),
    ],
)
def test_a_key_is_written_in_one_way(textual_name: str, written: str) -> None:
    assert key_name(textual_name) == written


def test_a_key_that_types_or_moves_in_a_text_field_does_not_act_there() -> None:
    for editing in ("a", "R", "0", "slash", "space", "enter", "backspace", "delete", "up", "home", "pagedown", "tab"):
        assert not key(editing).acts_in_field
    for moving in ("shift+left", "ctrl+left", "shift+up"):
        assert not key(moving).acts_in_field
    for command in ("f2", "escape", "ctrl+p", "ctrl+s"):
        assert key(command).acts_in_field
    assert not key("f2,x").acts_in_field
    assert key("tab", in_field=True).acts_in_field
    assert not key("escape", in_field=False).acts_in_field


class TwoPanes(StudioScreen):
    """A screen with a text field and a button, which counts what its keys do."""

    MODE = "none"

    KEYS: ClassVar[tuple[Key, ...]] = (
        key("down", "count('down')"),
        key("f2", "count('f2')"),
        key("pageup", "count('pageup')", in_field=True),
        key("shift+down", "count('both')"),
        key("f3", "count('both')"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[str] = []
        self.field = Input()

    def compose(self) -> ComposeResult:
        yield self.field
        yield Button("button")

    def action_count(self, what: str) -> None:
        self.counted.append(what)


async def test_a_screens_keys_that_edit_do_not_act_while_a_text_field_has_the_focus() -> None:
    app, screen = App[None](), TwoPanes()
    async with app.run_test() as pilot:
        await app.push_screen(screen)
        screen.field.focus()
        await pilot.pause()
        assert screen.typing
        await pilot.press("down", "f2", "pageup")
        assert screen.counted == ["f2", "pageup"]
        assert [row for section in help_for(screen) for row in section.rows if row[0] == "↓"] == []
        await pilot.press("tab", "down")
        assert not screen.typing
        assert screen.counted == ["f2", "pageup", "down"]
        assert ("↓", "Do count('down').") in help_for(screen)[0].rows


async def test_an_action_with_a_key_of_each_kind_is_run_in_a_text_field() -> None:
    app, screen = App[None](), TwoPanes()
    async with app.run_test() as pilot:
        await app.push_screen(screen)
        screen.field.focus()
        await pilot.press("f3")
        assert screen.counted == ["both"]


@pytest.mark.parametrize("screen", [CompareScreen, PlayScreen, RunsScreen, TrainScreen])
def test_no_action_of_a_screen_has_keys_of_both_kinds(screen: type[StudioScreen]) -> None:
    in_field, outside = (
        {parse(key.action) for key in screen.KEYS if key.acts_in_field is acts} for acts in (True, False)
    )
    assert in_field & outside == set()


def test_every_key_has_an_id_of_its_own_and_a_sentence() -> None:
    keys = {key for declared in declared_keys().values() for key in declared}  # dialogs share one
    assert len({key.id for key in keys}) == len(keys)
    assert [key.help for key in keys if not key.help.endswith(".")] == []
