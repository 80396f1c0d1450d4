"""Going back through the samples of a run, the chart's crosshair with them."""

from pathlib import Path

import pytest

from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import RunFinished, RunPaused, RunResumed
from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.chart.loss_chart import LossChart
from tests.tui.pilot import screen_text, shows, until
from tests.tui.scripted_training import TrainingBackend, evaluated, sample_written, started, step_done, write_events


@pytest.fixture
def backend(tmp_path: Path) -> TrainingBackend:
    return TrainingBackend(tmp_path / "runs")


@pytest.fixture
def run(backend: TrainingBackend) -> RunDirectory:
    """Fifty steps, a sample at every tenth."""
    events = [started(steps=100)]
    for step in range(1, 51):
        events.append(step_done(step, loss=3 - step / 50))
        if step % 10 == 0:
            events += [evaluated(step, 3 - step / 50), sample_written(step, f"written at {step}")]
    return write_events(RunDirectory(backend.runs_directory / "old-1"), events)


async def test_left_and_right_go_through_the_samples_and_the_crosshair_follows(
    backend: TrainingBackend, run: RunDirectory
) -> None:
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "written at 50")
        assert isinstance(app.screen.focused, LossChart)
        await pilot.press("tab", "left", "left")
        await shows(pilot, "written at 30")
        await shows(pilot, "sample at step 30 · val 1.500 nats/char · 3 of 5")
        await shows(pilot, " 30   ⣿ 2.400/3.46")  # the chart's readout
        with_newer = EventWriter(run.events_file)
        with_newer.append(step_done(51))
        with_newer.append(sample_written(51, "written at 51"))
        with_newer.close()
        await shows(pilot, "3 of 6")
        assert "written at 30" in screen_text(app)
        await pilot.press("left", "left", "left", "left")
        await shows(pilot, "written at 10")
        await pilot.press(*["right"] * 6)
        await shows(pilot, "written at 51")
        await until(pilot, lambda: "nats/bits" not in screen_text(app))
        await pilot.press("left")
        await shows(pilot, "written at 50")
        await pilot.press("f")
        await shows(pilot, "written at 51")


async def test_the_crosshair_brings_its_sample(backend: TrainingBackend, run: RunDirectory) -> None:
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "written at 50")
        await pilot.press("v", *["left"] * 22)
        await until(pilot, lambda: "written at 50" not in screen_text(app))
        await pilot.press("v")
        await shows(pilot, "written at 50")


async def test_a_run_without_samples_has_none_to_go_to(backend: TrainingBackend) -> None:
    run = write_events(RunDirectory(backend.runs_directory / "bare-1"), [started(), step_done(1)])
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "no sample yet")
        await pilot.press("tab", "left", "right", "f")
        await shows(pilot, "no sample yet")


async def test_interventions_are_ticks_on_the_chart_those_of_one_place_together(backend: TrainingBackend) -> None:
    events = [started(steps=100), *map(step_done, range(1, 41)), RunPaused(time=1.0, step=40)]
    events += [RunResumed(time=1.0, step=40), *map(step_done, range(41, 81))]
    events += [RunFinished(time=1.0, step=80, state="stopped")]
    run = write_events(RunDirectory(backend.runs_directory / "marked-1"), events)
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "▲paused · goes on ")
        await shows(pilot, " stopped▲")
