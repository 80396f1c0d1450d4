"""The picker of texts: what it offers, and that what is chosen fills the form."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from charrnn_tui.run.events import RunFinished
from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.dialogs.text_picker import ROWS_MOST, TextPicker
from tests.playground.scripted_backend import tiny_checkpoint
from tests.tui.pilot import screen_text, shows, until
from tests.tui.scripted_training import TrainingBackend, started, write_events

PROSE = "abcdefghij klmnopqr stuvwxyz\n"


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainingBackend]:
    """Started in a directory with a text, and with another directory in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    work = tmp_path / "work"
    (work / "books").mkdir(parents=True)
    (work / "books" / "long.txt").write_text(PROSE * 500)
    (work / "short.txt").write_text(PROSE * 100)
    monkeypatch.chdir(work)
    backend = TrainingBackend(tmp_path / "runs")
    backend.ship(tiny_checkpoint())
    yield backend
    backend.stop()


async def open_picker(pilot: Pilot[None], key: str) -> None:
    await pilot.press("1", key)
    await until(pilot, lambda: isinstance(pilot.app.screen, TextPicker))
    await shows(pilot, "Enter chooses")


def rows(app: StudioApp) -> list[str]:
    """What the list shows."""
    picker = app.screen
    assert isinstance(picker, TextPicker)
    return [str(option.prompt) for option in picker._filtered.list.options]


@pytest.mark.parametrize("key", ["enter", "f2"])
async def test_one_key_leads_from_the_empty_form_to_the_demo_text(key: str, backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_picker(pilot, key)
        assert rows(app)[0].startswith("demo:python  source of Python's standard library")
        await pilot.press("enter")
        await shows(pilot, "demo:python", "2×512")


async def test_a_text_in_a_directory_is_found_and_the_form_is_fitted_to_it(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_picker(pilot, "f2")
        assert rows(app)[1:] == ["../  ", "books/  ", "short.txt  2.9 kB"]
        await pilot.press(*"BOOK", "enter")
        await until(pilot, lambda: rows(app) == ["../  ", "long.txt  14.5 kB"])
        await pilot.press("enter")
        await shows(pilot, "books/long.txt", "14,500 characters", "fitted  hidden units 128")


async def test_the_way_up_highlights_where_it_came_from(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_picker(pilot, "f2")
        for _ in range(2):
            await pilot.press(*"books", "enter")
            await shows(pilot, "long.txt")
            await pilot.press("up", "enter")
            await shows(pilot, "short.txt")
            await pilot.press("enter")
            await shows(pilot, "long.txt")
            await pilot.press("up", "enter")
            await shows(pilot, "short.txt")


async def test_texts_of_earlier_runs_come_first(backend: TrainingBackend, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(PROSE * 200)
    run = backend.add_run("tiny-1", tiny_checkpoint())
    write_events(run, [started(), RunFinished(time=0.0, step=10, state="finished")])
    run.write_settings({"corpus": [str(other)]})
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_picker(pilot, "f2")
        assert rows(app)[0].endswith("other.txt  5.8 kB, run tiny-1")
        await pilot.press(*"other", "enter")
        await shows(pilot, "5,800 characters")


async def test_escape_leaves_the_form_as_it_was(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening(text="short.txt"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextPicker))
        await pilot.press("escape")
        await shows(pilot, "2,900 characters")
        assert app.train.form.text.value == "short.txt"
        assert app.focused is app.train.form.text


async def test_control_characters_of_a_name_are_shown_as_symbols(backend: TrainingBackend) -> None:
    Path("bad\x1b[31m\n.txt").write_text(PROSE * 100)
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_picker(pilot, "f2")
        await pilot.press(*"bad")
        await shows(pilot, "bad␛[31m␤.txt")
        await pilot.press("enter")
        await shows(pilot, "2,900 characters")
        assert "\x1b" not in screen_text(app)


async def test_of_many_files_the_first_are_listed_and_the_others_are_found_by_name(backend: TrainingBackend) -> None:
    for number in range(ROWS_MOST + 100):
        Path("books", f"{number:04}.txt").write_text("x")
    Path("books", ".hidden.txt").write_text("x")
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(60, 18)) as pilot:
        await open_picker(pilot, "f2")
        await pilot.press(*"books", "enter")
        await shows(pilot, f"the first {ROWS_MOST} of")
        assert len(rows(app)) == ROWS_MOST
        await pilot.press(*"0299")
        await until(pilot, lambda: rows(app) == ["0299.txt  1 B"])
        await pilot.press("ctrl+u", *".hid")
        await until(pilot, lambda: rows(app) == [".hidden.txt  1 B"])
        await pilot.press(*"none")
        await shows(pilot, "no text or directory has such a name")
        await pilot.press("enter")
        assert isinstance(app.screen, TextPicker)


async def test_a_directory_that_cannot_be_read_says_so_and_the_list_stays(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_picker(pilot, "f2")
        before = rows(app)
        os.rename("books", "moved")
        await pilot.press(*"books", "enter")
        await shows(pilot, "books: cannot be read: No such file or directory")
        assert rows(app) == before
