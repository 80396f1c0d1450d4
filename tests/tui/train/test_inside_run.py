"""Looking inside a run: the menu, what it finds, and the way back."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot

from charrnn_tui.analysis.learning import Learning
from charrnn_tui.analysis.ngrams import NgramLoss, ngram_losses
from charrnn_tui.playground import ngram_baseline
from charrnn_tui.playground.model_studies import study_gates, study_learning, study_memory, study_surprise
from charrnn_tui.playground.ngram_baseline import read_baseline
from charrnn_tui.playground.studied import StudiedRun
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.inside.look_inside import LookInside
from charrnn_tui.tui.inside.surprise_view import PLACES, SurpriseView
from charrnn_tui.tui.play.lenses.quantities import SURPRISE_BOUNDS
from charrnn_tui.tui.textview.lens import STEPS
from charrnn_tui.tui.train.learning_strip import BOUNDS, SHADES, LearningStrip
from charrnn_tui.tui.train.screen import TrainScreen
from tests.playground.run_with_text import keep_models, run_with_text, some_letters
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
        assert isinstance(app.screen, LookInside)
        await pilot.press("escape")
        await shows(pilot, "┈ 1-gram")
        go_on.set()
        assert isinstance(app.screen, TrainScreen)
        assert not read_baseline(run).complete


async def test_how_it_learned_is_a_row_for_each_model(backend: ScriptedBackend, run: RunDirectory) -> None:
    keep_models(backend, run, steps=(0, 1, 2, 3))
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("down", "enter")
        await shows(pilot, "4 nats and more", "learned (90% of the fall of the loss) by step")
        strip = app.screen.query_one(LearningStrip)
        characters = some_letters()[2401:].replace("\n", "⏎")
        width = strip.size.width - 14
        assert f"nats {characters[:width].rstrip()}" in screen_text(app)
        rows = screen_text(app).splitlines()
        assert [row.split()[1] for row in rows[2:6]] == ["0", "1", "2", "3"]
        learning = study_learning(run, backend, lambda doing: None)
        for row, losses in zip(rows[2:6], learning.losses, strict=True):
            shades = "".join(SHADES[sum(bound <= loss for bound in BOUNDS)] for loss in losses[:width].tolist())
            assert row[16 : 16 + width] == shades
        await pilot.press("right")
        await shows(pilot, f"nats {characters[width // 2 :][:width].rstrip()}")
        await pilot.press("end", *["right"] * 30)
        await shows(pilot, f"nats {characters[-width:].rstrip()}")
        await pilot.press("home")
        await shows(pilot, f"nats {characters[:width].rstrip()}")


def test_where_there_is_little_room_the_first_and_the_last_model_are_shown() -> None:
    strip = LearningStrip(Learning("ab", list(range(0, 240, 10)), np.zeros((24, 1), np.float32)))
    assert strip.models_in(24) == strip.models_in(100) == list(range(24))
    assert strip.models_in(-3) == [0, 23]
    assert strip.models_in(4) == [0, 8, 15, 23]


async def test_memory_is_a_curve_and_gates_are_a_table(backend: ScriptedBackend, run: RunDirectory) -> None:
    keep_models(backend, run, steps=(0, 3))
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("down", "down", "enter")
        await shows(pilot, "model of step 3", "with all before")
        found = study_memory(StudiedRun(run, backend), lambda doing: None)
        labels, figures = (row.strip("│ ").split() for row in screen_text(app).splitlines()[-4:-2])
        assert labels == [str(each.context) for each in found.contexts]
        assert figures == [f"{found.whole + each.difference:.2f}" for each in found.contexts]
        assert screen_text(app).count("●") >= len(labels)
        await pilot.press("escape", "down", "enter")
        await shows(pilot, "closed: below 0.1", "open: above 0.9", "model of step 3")
        for share in study_gates(StudiedRun(run, backend), lambda doing: None).shares:
            assert f"{share.layer:>5}  {share.gate:<6}  {share.closed:>6.1%}" in screen_text(app)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))


async def test_a_text_is_coloured_by_its_surprise_and_the_worst_places_are_a_key_away(
    backend: ScriptedBackend, run: RunDirectory
) -> None:
    keep_models(backend, run, steps=(3,))
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press(*["down"] * 4, "enter")
        await shows(pilot, "nats/char · 600 characters", "kind ", "in word", "nothing predicts the first character")
        found = study_surprise(StudiedRun(run, backend), lambda doing: None, of_training=False).surprise
        view = app.screen.query_one(SurpriseView)
        assert view.text.text == found.text == some_letters()[2400:]
        classes = view.text.colour_classes
        assert classes is not None
        steps = [STEPS[sum(bound <= loss for bound in SURPRISE_BOUNDS)] for loss in found.losses.tolist()]
        assert list(classes(0, 600)) == [-1, *steps]
        places = found.worst(PLACES)
        for number, place in enumerate(places[:3], 1):
            await pilot.press("n")
            await shows(pilot, f"{number} of {len(places)}: ", f"{found.losses[place - 1]:.2f} nats", f"at {place:,}")
            assert view.text.cursor == place
        await pilot.press("N", "right")
        assert view.text.cursor == places[1] + 1
        assert "of" not in screen_text(app).splitlines()[-4].split("·")[0].split()
        await pilot.press("t")
        await until(pilot, lambda: "in word" not in screen_text(app))
        await pilot.resize_terminal(80, 24)
        await shows(pilot, "in word")
        await pilot.press("n")
        await until(pilot, lambda: "in word" not in screen_text(app))
        await pilot.press("escape", "down", "enter")
        await shows(pilot, "surprise, training · ", "2,400 characters")
        of_training = study_surprise(StudiedRun(run, backend), lambda doing: None, of_training=True).surprise
        assert app.screen.query_one(SurpriseView).text.text == of_training.text == some_letters()[:2400]


@pytest.mark.parametrize("size", [(20, 5), (60, 18)])
async def test_every_study_is_shown_at_every_size(
    backend: ScriptedBackend, run: RunDirectory, size: tuple[int, int]
) -> None:
    keep_models(backend, run, steps=(0, 3))
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, TrainScreen) and app.train.run_view.progress.step == 3)
        await pilot.press("i")
        for number in range(6):
            await pilot.press(*["down"] * (number > 0), "enter")
            await until(pilot, lambda: "-showing" in app.screen.classes)
            await pilot.press("escape")
            await until(pilot, lambda: "-showing" not in app.screen.classes)


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
