"""The line of keys at the bottom of each screen."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.key_footer import FooterKey, KeyFooter, fitting
from tests.playground.scripted_backend import tiny_checkpoint
from tests.tui.pilot import screen_text, shows, until
from tests.tui.scripted_training import TrainingBackend, started, step_done, write_events

WIDTHS = [20, 40, 60, 80, 100, 140]


@pytest.fixture
def backend(tmp_path: Path) -> TrainingBackend:
    backend = TrainingBackend(tmp_path / "runs")
    backend.ship(tiny_checkpoint())
    return backend


def keys_of(app: StudioApp) -> list[str]:
    """As they stand in the last line, each with its words."""
    return [f"{key.label} {key.name}" for key in app.screen.query_one(KeyFooter).keys]


async def whole(app: StudioApp, pilot: Pilot[None], width: int) -> None:
    """Until the line shows its keys, and none of them is cut."""

    def shown() -> list[str]:
        return screen_text(app).splitlines()[-1].split()

    def cells() -> int:
        return sum(key.cells for key in app.screen.query_one(KeyFooter).keys)

    await until(pilot, lambda: shown() and shown() == " ".join(keys_of(app)).split() and cells() <= width)


@pytest.mark.parametrize("key", ["1", "2", "3"])
async def test_no_key_is_cut_and_help_is_among_them(key: str, backend: TrainingBackend) -> None:
    write_events(RunDirectory(backend.runs_directory / "old-1"), [started(), step_done(1)])
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        shown = []
        for width in WIDTHS:
            await pilot.resize_terminal(width, 24)
            await whole(app, pilot, width)
            shown.append(len(keys_of(app)))
            assert ("F1 Help" if key == "1" else "? Help") in keys_of(app)  # 1 goes to a field, where ? is a letter
        assert shown == sorted(shown)


async def test_a_run_in_training_offers_its_first_keys_at_80_columns(backend: TrainingBackend) -> None:
    run = write_events(RunDirectory(backend.runs_directory / "old-1"), [started(), step_done(1)])
    trainer = run.lock()
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Space Pause" in keys_of(app))
        await whole(app, pilot, 80)
        assert {"Space Pause", "x Stop", "? Help"} <= {*keys_of(app)}
    trainer.release()


def test_the_first_keys_come_first_and_help_before_all() -> None:
    keys = [FooterKey(key, words, action, key, "") for key, words, action in (
        ("a", "first", "one"), ("b", "second", "two"), ("?", "Help", "help"), ("q", "Quit", "quit"))]  # fmt: skip
    assert [key.key for key in fitting(keys, 9 + 10 + 8 + 8)] == ["a", "b", "?", "q"]
    assert [key.key for key in fitting(keys, 9 + 10 + 8 + 7)] == ["a", "b", "?"]
    assert [key.key for key in fitting(keys, 9 + 10 + 7)] == ["a", "?"]
    assert [key.key for key in fitting(keys, 8)] == ["?"]


async def test_a_click_presses_the_key_under_the_mouse(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "? Help" in keys_of(app))
        line = screen_text(app).splitlines()[-1]
        await pilot.click(offset=(line.index("? Help"), 23))
        await shows(pilot, "Esc closes")
