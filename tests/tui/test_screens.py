"""Whole screens beside the stored ones: a change of what is shown is seen, wherever it comes from.

After a change that is meant: CHARRNN_UPDATE_SNAPSHOTS=1 python -m pytest tests/tui/test_screens.py
"""

import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from textual.pilot import Pilot

from charrnn_tui.playground.models import ModelSource
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import Event, RunFinished
from charrnn_tui.run.kept_checkpoints import kept_file
from charrnn_tui.tui.app import Opening, StudioApp
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.compare.comparing import comparing
from tests.tui.pilot import shows, until
from tests.tui.play.player import Player, playing
from tests.tui.scripted_training import evaluated, sample_written, started, step_done, write_events
from tests.tui.snapshot import matches_snapshot

Size = tuple[int, int]

SMALL, USUAL, LARGE = (60, 18), (80, 24), (120, 40)
DAY = 24 * 3600
NOON_AGO = float(int(time.time()) - 12 * 3600 - 1800)  # `12 h ago` with days before it: half an hour to either side
ALPHABET = "\n ,.AHabcdefghiklmnoprstuvwy"  # can read the prime that a shipped model begins with
SPEED = 60  # characters a second: the playground's own default
TICK = 0.125  # seconds, which binary fractions tell exactly: nothing is rounded on the way
WRITTEN_SECONDS = 4.0


def at(*sizes: Size) -> pytest.MarkDecorator:
    """At each of these sizes of the terminal."""
    return pytest.mark.parametrize("size", sizes, ids=[f"{width}x{height}" for width, height in sizes])


@pytest.fixture(autouse=True)
def terminal_with_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def shipped(backend: ScriptedBackend) -> None:
    """The model in the box."""
    backend.ship(tiny_checkpoint(ALPHABET, val_loss=1.284))


def ago(days: int, events: list[Event]) -> list[Event]:
    """The script's events are of now, to fractions of a second, which the size of a run's log would show."""
    return [structs.replace(event, time=NOON_AGO - days * DAY) for event in events]


def history(steps: int, *, falls_to: float = 1.3, **facts: Any) -> list[Event]:
    """A training that goes well: a validation every 50 steps, a sample at each."""
    events: list[Event] = [started(**facts)]
    best = math.inf
    for step in range(1, steps + 1):
        loss = falls_to + 3 * math.exp(-step / 100)
        events.append(step_done(step, round(loss + 0.1 * (-1) ** step, 6)))
        if step % 50 == 0:
            val_loss = round(loss + 0.1 + 0.02 * (step % 200 == 0), 4)
            events.append(evaluated(step, val_loss, best=val_loss < best))
            best = min(best, val_loss)
            events.append(sample_written(step, f"At step {step} it writes:\nall happy families are alike.\n" * 6))
    return events


def ended(events: list[Event], state: str = "finished") -> list[Event]:
    return [*events, RunFinished(time=0.0, step=events[-1].step, state=state)]


@asynccontextmanager
async def studio(backend: ScriptedBackend, opening: Opening, size: Size, *words: str) -> AsyncIterator[Pilot[Any]]:
    """The app, once it shows these words."""
    app = StudioApp(backend, opening)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, *words)
        yield pilot


def wrote(player: Player, count: int) -> bool:
    return player.playground.writer.count >= count


@asynccontextmanager
async def written(backend: ScriptedBackend, size: Size) -> AsyncIterator[Player]:
    """The playground in mid-writing, after so many seconds of a clock that stands still from then on."""
    async with playing(backend, size=size) as player:
        await until(player.pilot, lambda: player.playground.writer.writing)
        for tick in range(1, round(WRITTEN_SECONDS / TICK) + 1):
            player.app.clock.now += TICK
            await until(player.pilot, partial(wrote, player, int(tick * TICK * SPEED)))
        yield player


# -- play -------------------------------------------------------------------------------------------------------------


@at(SMALL, USUAL, LARGE)
async def test_the_playground_writes(backend: ScriptedBackend, shipped: None, size: Size) -> None:
    async with written(backend, size) as player:
        await matches_snapshot(player.pilot, "play")


@at(USUAL, LARGE)
async def test_the_inspector_stands_on_a_character(backend: ScriptedBackend, shipped: None, size: Size) -> None:
    async with written(backend, size) as player:
        await player.press("g", "i", "left", "left", "left")
        await matches_snapshot(player.pilot, "inspector")


async def test_the_help_of_the_playground_lies_over_it(backend: ScriptedBackend) -> None:
    async with studio(backend, Opening(), USUAL, "Train", "Play", "Runs") as pilot:
        await pilot.press("2")
        await shows(pilot, "no model yet")  # one that wrote would be as far as the machine is fast
        await matches_snapshot(pilot, "play-without-a-model")
        await pilot.press("question_mark")
        await matches_snapshot(pilot, "play-help")


async def test_two_moments_of_a_training_stand_side_by_side(backend: ScriptedBackend) -> None:
    run = backend.add_run("lazy", tiny_checkpoint(seed=12, step=12, steps=40, epoch=2, val_loss=1.5))
    (run.path / "checkpoints").mkdir()
    for step in (0, 1, 9, 40):
        file = kept_file(run.path, step)
        file.touch()
        backend.checkpoints[file] = tiny_checkpoint(
            seed=step, step=step, steps=40, epoch=1 + step // 10, last_val_step=step, last_val_loss=2.5 - step / 40
        )
    async with comparing(backend, ModelSource("best", run.path), size=LARGE) as comparer:
        await comparer.press("full_stop")
        await comparer.press("down", "right", "right")
        await matches_snapshot(comparer.pilot, "side-by-side")


# -- train ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def measured(backend: ScriptedBackend) -> ScriptedBackend:
    """A backend with which a run has measured the machine's speed: it is neither guessed nor measured again."""
    large = history(100, settings={"batch_size": 1000})  # a small run measures nothing
    write_events(RunDirectory(backend.runs_directory / "before-1"), ago(3, ended(large)))
    return backend


@at(SMALL, USUAL)
async def test_the_form_is_fitted_to_a_text(
    measured: ScriptedBackend, size: Size, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny.txt").write_text("abcdefghij klmnopqr stuvwxyz\n" * 500)
    monkeypatch.chdir(tmp_path)  # the form shows the path as it was given
    async with studio(measured, Opening(text="tiny.txt"), size, "tiny.txt") as pilot:
        await matches_snapshot(pilot, "form")


@pytest.fixture
def in_training(backend: ScriptedBackend) -> Iterator[RunDirectory]:
    """A run whose trainer lives: somebody holds its lock."""
    run = write_events(RunDirectory(backend.runs_directory / "tiny-1"), ago(3, history(430)))
    lock = run.lock()
    yield run
    lock.release()


@at(SMALL, USUAL, LARGE)
async def test_a_run_is_in_training(backend: ScriptedBackend, in_training: RunDirectory, size: Size) -> None:
    async with studio(backend, Opening(run=in_training), size, "tiny-1 ● training") as pilot:
        await matches_snapshot(pilot, "run-training")


@at(USUAL, LARGE)
async def test_a_run_has_finished(backend: ScriptedBackend, size: Size) -> None:
    run = write_events(RunDirectory(backend.runs_directory / "tiny-1"), ago(3, ended(history(1000))))
    async with studio(backend, Opening(run=run), size, "tiny-1 ✓ finished") as pilot:
        await matches_snapshot(pilot, "run-finished")


# -- runs -------------------------------------------------------------------------------------------------------------


@at(USUAL, LARGE)
async def test_the_runs_are_listed(backend: ScriptedBackend, size: Size) -> None:
    events = {
        "war-and-peace-2": ago(3, history(450, corpus="war")),  # its trainer died without a word
        "anna-2": ago(4, ended(history(600, falls_to=1.2), "stopped")),
        "war-and-peace-1": ago(5, ended(history(300, falls_to=1.6, corpus="war"), "failed")),
        "anna-1": ago(16, ended(history(1000))),
    }
    for name, told in events.items():
        write_events(RunDirectory(backend.runs_directory / name), told)
    async with studio(backend, Opening(), size, "Train", "Play", "Runs") as pilot:
        await pilot.press("3")
        await shows(pilot, *events)
        await pilot.press("v", "down", "down", "p")
        await shows(pilot, "a) war-and-peace-2", "◆ war-and-peace-1")
        await matches_snapshot(pilot, "runs")
