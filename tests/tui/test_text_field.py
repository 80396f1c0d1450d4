"""Text fields on every screen: undo, help, the way out, and what is in them when one comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App
from textual.widgets import Input, TextArea

from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.dialogs.help import HelpDialog
from charrnn_tui.tui.text_field import TextField
from tests.playground.scripted_backend import tiny_checkpoint
from tests.tui.pilot import screen_text, shows, until
from tests.tui.scripted_training import TrainingBackend


class OneField(App[None]):
    def __init__(self, value: str) -> None:
        super().__init__()
        self.value = value

    def on_mount(self) -> None:
        self.field = TextField(self.value)
        self.mount(self.field)


async def test_letters_typed_in_a_row_are_undone_together_and_redone() -> None:
    app = OneField("books")
    async with app.run_test() as pilot:
        await pilot.press("slash", "a", "backspace", "b")
        assert app.field.value == "books/b"
        shown = []
        for key in ["ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+y", "ctrl+y", "x", "ctrl+y", "ctrl+z"]:
            await pilot.press(key)
            shown.append(app.field.value)
        assert shown == ["books/", "books/a", "books", "books", "books/a", "books/", "books/x", "books/x", "books/"]


async def test_a_text_that_was_put_into_the_field_can_be_undone() -> None:
    app = OneField("old")
    async with app.run_test() as pilot:
        app.field.value = "new"
        await pilot.press("ctrl+z")
        assert app.field.value == "old"


async def test_a_field_that_gets_the_focus_keeps_its_text() -> None:
    app = OneField("books/anna.txt")
    async with app.run_test() as pilot:
        await pilot.press("question_mark", "2")
        assert app.field.value == "books/anna.txt?2"


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[TrainingBackend]:
    backend = TrainingBackend(tmp_path / "runs")
    backend.ship(tiny_checkpoint())
    backend.add_run("abc", tiny_checkpoint())
    yield backend
    backend.stop()


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.txt"
    path.write_text("abcdefghij klmnopqr stuvwxyz\n" * 500)
    return path


def footer(app: StudioApp) -> str:
    return screen_text(app).splitlines()[-1]


FIELDS = {
    "form": ["1"],
    "number of the form": ["1", *["tab"] * 4],
    "filter of the runs": ["3", "slash"],
    "prime": ["p"],
    "value of a control": ["enter"],
    "line of the text": ["e"],
    "name of a file": ["w"],
    "file of the prime": ["f2"],
    "model": ["m", "tab"],
    "note": ["3", "n"],
}


@pytest.mark.parametrize("way", FIELDS)
async def test_f1_shows_help_in_every_field_and_nothing_is_lost_by_it(way: str, backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.play.playground.writer.count)
        for key in FIELDS[way]:
            await pilot.press(key)
            if key == "3":
                await shows(pilot, "1 run,")
        await until(pilot, lambda: isinstance(app.focused, Input | TextArea))
        field = app.focused
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        await pilot.press("f1")
        await until(pilot, lambda: app.focused is field)


@pytest.mark.parametrize(("keys", "out"), [(["1"], "Leave field"), (["3", "slash"], "Leave filter"),
                                           (["p"], "Leave field"), (["enter"], "Cancel")])  # fmt: skip
@pytest.mark.parametrize("size", [(40, 12), (60, 18), (80, 24)])
async def test_the_footer_shows_the_way_out_of_a_field_and_help(
    size: tuple[int, int], keys: list[str], out: str, backend: TrainingBackend
) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.play.playground.writer.count)
        for key in keys:
            await pilot.press(key)
            if key == "3":
                await shows(pilot, "1 run,")
        await until(pilot, lambda: f"Esc {out}" in footer(app) and "F1 Help" in footer(app))
        await pilot.press("escape")
        await until(pilot, lambda: f"Esc {out}" not in footer(app) and "? Help" in footer(app))


async def test_keys_typed_into_the_path_can_be_undone_and_the_fit_comes_back(
    backend: TrainingBackend, text: Path
) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "14,500 characters, 28 different")
        await pilot.press("question_mark", "2", "q")
        assert app.train.form.text.value == f"{text}?2q"
        await pilot.press("ctrl+z")
        assert app.train.form.text.value == str(text)
        await shows(pilot, "14,500 characters, 28 different")


async def test_the_form_is_as_it_was_left(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "14,500 characters, 28 different")
        await pilot.press("escape", "2")
        await until(pilot, lambda: app.screen is app.play)
        await pilot.press("1")
        await until(pilot, lambda: app.screen is app.train)
        assert app.train.form.text.value == str(text)
        await pilot.press("question_mark")  # a key, for the focus is where it was: in no field
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))


async def test_escape_goes_from_a_run_back_to_the_list_of_runs(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await shows(pilot, "1 run,")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.train)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.runs)
