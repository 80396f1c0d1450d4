"""Other keys for what the app does."""

from pathlib import Path

import pytest

from charrnn_tui.run.config import DEFAULTS, with_values
from charrnn_tui.tui.app import StudioApp
from charrnn_tui.tui.dialogs.help import help_for
from charrnn_tui.tui.keymap import _DIALOG, _SCREENS, KeymapError, checked_keymap, declared_keys
from charrnn_tui.tui.opening import Opening
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import shows, until


def test_every_id_is_declared_once_or_means_the_same_key() -> None:
    keys = [key for keys in declared_keys().values() for key in keys]
    assert len({key.id for key in keys}) == len(keys)


def test_every_part_of_a_screen_is_known_to_the_check() -> None:
    prefixes = {key.id.partition(".")[0] for keys in declared_keys().values() for key in keys}
    dialogs = {"help", "models", "tree", "save", "sessions", "lenses"}
    assert prefixes == frozenset().union(*_SCREENS) | _DIALOG | dialogs


def test_keys_are_spelled_as_textual_does() -> None:
    assert checked_keymap({}) == {}
    assert checked_keymap({"play.reroll": "z , f8"}) == {"play.reroll": "f8,z"}
    assert checked_keymap({"play.symbol": "%"}) == {"play.symbol": "percent_sign"}


def test_two_keys_may_be_exchanged() -> None:
    assert checked_keymap({"play.reroll": "R", "play.replay": "r"}) == {"play.reroll": "R", "play.replay": "r"}


def test_what_shared_its_key_keeps_it() -> None:
    assert checked_keymap({"play.stop": "z"})["play.go_on"] == "g"


def test_a_key_may_be_that_of_another_screen() -> None:
    assert checked_keymap({"runs.sort": "m"}) == {"runs.sort": "m"}


@pytest.mark.parametrize(
    ("id", "keys", "problem"),
    [
        ("play.rerol", "z", "no key has this id; did you mean play.reroll?"),
        ("play.reroll", "x", "the key x is taken by play.delete: Delete this branch and those forked from it."),
        ("play.reroll", "q", "the key q is taken by app.quit"),
        ("app.quit", "l", "the key l is taken by play.lens"),
        ("chart.log", "s", "the key s is taken by train.sample"),
        ("surprise.table", "i", "the key i is taken by inside.close"),
        ("tree.delete", "b", "the key b is taken by tree.bookmark"),
        ("play.reroll", "zz", "'zz' is no key"),
        ("play.reroll", "hyper", "'hyper' is no key"),
        ("play.reroll", "", "'' is no key"),
        ("app.help_always", "h", "'h' is a key that text fields use"),
    ],
)
def test_an_unknown_id_and_a_key_that_is_taken_are_named(id: str, keys: str, problem: str) -> None:
    with pytest.raises(KeymapError) as caught:
        checked_keymap({id: keys})
    assert str(caught.value).startswith(problem)
    assert caught.value.id == id


async def test_another_key_acts_instead_and_footer_and_help_show_it(tmp_path: Path) -> None:
    app = StudioApp(ScriptedBackend(tmp_path), Opening(), keymap=checked_keymap({"app.help": "h", "app.runs": "9"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "F1 Help")
        await pilot.press("question_mark")
        assert app.screen is app.play
        await pilot.press("h")
        await shows(pilot, "Esc closes")
        rows = {label for section in help_for(app.play) for label, _ in section.rows}
        assert {"h", "9"} <= rows
        assert "3" not in rows
        await pilot.press("escape", "9")
        await until(pilot, lambda: app.current_mode == "runs")


async def test_the_status_names_the_key_that_continues(tmp_path: Path) -> None:
    backend = ScriptedBackend(tmp_path)
    backend.shipped = tmp_path / "tiny.safetensors"
    backend.checkpoints[backend.shipped] = tiny_checkpoint()
    keymap = checked_keymap({"play.go_on": "z", "play.stop": "z"})
    app = StudioApp(backend, Opening(), with_values(DEFAULTS, {"play.length": 5}), keymap=keymap)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "page full, press z to continue")
        await pilot.press("z")
        await shows(pilot, "10 chars")
