"""Keys of the training screen reach the trainer of the run in view."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from charrnn_tui.run.control import (
    AddEpochs,
    EndAfterEpoch,
    Pause,
    Request,
    RunSteps,
    SampleNow,
    SaveNow,
    ScaleLearningRate,
    Stop,
)
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.mailbox import Mailbox
from charrnn_tui.tui.app import Opening, StudioApp
from tests.tui.pilot import screen_text, until
from tests.tui.scripted_training import TrainingBackend, started, step_done, write_events


@pytest.fixture
def backend(tmp_path: Path) -> TrainingBackend:
    return TrainingBackend(tmp_path / "runs")


@pytest.fixture
def trained_elsewhere(backend: TrainingBackend) -> Iterator[RunDirectory]:
    run = write_events(RunDirectory(backend.runs_directory / "away-1"), [started(), step_done(1)])
    lock = run.lock()
    yield run
    lock.release()


@pytest.mark.parametrize(
    ("keys", "answer", "request_expected"),
    [
        (["space"], None, Pause()),
        (["s"], None, SampleNow()),
        (["S"], None, SaveNow()),
        (["E"], None, EndAfterEpoch()),
        (["asterisk"], None, ScaleLearningRate(2.0)),
        (["slash"], None, ScaleLearningRate(0.5)),
        (["L"], "×0.25", ScaleLearningRate(0.25)),
        (["L"], "0.01", ScaleLearningRate(10.0)),
        (["T"], "50", RunSteps(50)),
        (["M"], "3", AddEpochs(3)),
        (["x", "y"], None, Stop("stopped", "stopped from the app")),
    ],
)
async def test_a_key_asks_the_trainer_in_another_process(
    keys: list[str],
    answer: str | None,
    request_expected: Request,
    backend: TrainingBackend,
    trained_elsewhere: RunDirectory,
) -> None:
    mailbox, requests = Mailbox(trained_elsewhere.path), list[Request]()
    app = StudioApp(backend, Opening(run=trained_elsewhere))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app) and "train 2.000 nats/char" in screen_text(app))
        await pilot.press(*keys)
        if answer is not None:
            app.screen.query_one(Input).value = answer
            await pilot.press("enter")
        await until(pilot, lambda: requests.extend(mailbox.take()) or requests)
    assert requests == [request_expected]


async def test_who_only_watches_asks_nothing(backend: TrainingBackend, trained_elsewhere: RunDirectory) -> None:
    app = StudioApp(backend, Opening(run=trained_elsewhere, read_only=True))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app))
        await pilot.press("space", "s", "S", "E", "asterisk", "x")
        assert "Save and stop this run?" not in screen_text(app)
    assert not (trained_elsewhere.path / "control").exists()
