"""Looking inside a run: the menu, what it finds, and the way back."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from charrnn_tui.analysis.ngrams import NgramLoss, ngram_losses
from charrnn_tui.playground import ngram_baseline
from charrnn_tui.playground.ngram_baseline import read_baseline
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.train.inside_run import InsideRun
from charrnn_tui.tui.train.screen import TrainScreen
from tests.playground.run_with_text import run_with_text
from tests.playground.scripted_backend import ScriptedBackend
from tests.tui.pilot import screen_text, shows, until


@pytest.fixture
def run(backend: ScriptedBackend, tmp_path: Path) -> RunDirectory:
    return run_with_text(backend, tmp_path / "letters.txt", val_losses=(2.2, 1.9, 0.5))


async def opened(pilot: Pilot[Any]) -> None:
    """The menu over the run."""
    await shows(pilot, "best 0.5000 at step 3")
    await pilot.press("i")
    await shows(pilot, "inside tiny-1", "n-grams")


async def test_ngrams_are_counted_listed_and_drawn(backend: ScriptedBackend, run: RunDirectory) -> None:
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press("enter")
        await shows(pilot, "1-gram", "(the lowest)", "Esc goes back")
        found = read_baseline(run)
        shown = screen_text(app)
        assert f"best val 0.5000 nats/char at step 3, {min(found.losses) - 0.5:.4f} less" in shown
        assert f" 1-gram  {found.losses[0]:>9.4f}  at step 1" in shown
        await pilot.press("escape")
        await shows(pilot, "Enter looks")
        await pilot.press("escape")
        await shows(pilot, f"{found.best}-gram {min(found.losses):.3f} ┈", "passes the")
        await pilot.press("i")
        await shows(pilot, "n-grams")
        run.ngrams_file.unlink()
        await pilot.press("enter")
        await shows(pilot, "(the lowest)")  # it is not counted again
        assert not run.ngrams_file.exists()


async def test_escape_stops_the_counting_and_keeps_what_is_there(
    backend: ScriptedBackend, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow_losses(*args: Any) -> Iterator[NgramLoss]:
        for each in ngram_losses(*args):
            yield each
            go_on.wait()

    monkeypatch.setattr(ngram_baseline, "ngram_losses", slow_losses)
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press("enter")
        await shows(pilot, "counting: 2-grams … Esc stops")
        await pilot.press("escape")
        await shows(pilot, "stopped")
        assert isinstance(app.screen, InsideRun)
        await pilot.press("escape")
        await shows(pilot, "┈ 1-gram")
        go_on.set()
        assert isinstance(app.screen, TrainScreen)
        assert not read_baseline(run).complete


async def test_what_cannot_be_found_out_is_said(backend: ScriptedBackend, run: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").unlink()
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press("enter")
        await shows(pilot, "the text of tiny-1 is no longer there")
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))


async def test_the_form_has_nothing_to_look_into(backend: ScriptedBackend) -> None:
    app = StudioApp(backend, Opening(text=""))
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        await pilot.press("escape", "i")
        assert isinstance(app.screen, TrainScreen)
