"""Following runs: one fold of a run's events, whoever looks."""

from pathlib import Path

import pytest

from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import RunFinished
from charrnn_tui.run.follower import DIED, RunFollower, RunFollowers
from tests.tui.scripted_training import started, step_done, write_events


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return write_events(RunDirectory(tmp_path / "anna-1"), [started(), step_done(1)])


def append(run: RunDirectory, step: int) -> None:
    writer = EventWriter(run.events_file)
    writer.append(step_done(step))
    writer.close()


def test_everybody_who_follows_a_run_shares_its_progress(run: RunDirectory) -> None:
    followers = RunFollowers()
    first, second = followers.of(run), followers.of(RunDirectory(run.path))
    lock = run.lock()
    first.poll()
    append(run, 2)
    second.poll()
    assert first.progress is second.progress
    assert list(first.progress.steps) == [1, 2]
    lock.release()


def test_the_version_grows_only_with_events(run: RunDirectory) -> None:
    follower, lock = RunFollower(run), run.lock()
    follower.poll()
    version = follower.progress.version
    follower.poll()
    assert follower.progress.version == version
    append(run, 2)
    follower.poll()
    assert follower.progress.version > version
    lock.release()


def test_a_run_without_a_trainer_is_interrupted(run: RunDirectory) -> None:
    follower = RunFollower(run)
    follower.poll()
    assert (follower.progress.state, follower.progress.reason) == ("interrupted", DIED)


def test_a_run_may_be_handed_from_one_trainer_to_another(run: RunDirectory) -> None:
    seconds = iter([10.0, 10.9, 20.0, 20.5, 21.0])
    follower, lock = RunFollower(run, lambda: next(seconds)), run.lock()
    follower.poll()
    states = []
    for polls in (2, 3):
        lock.release()
        for _ in range(polls):
            follower.poll()
            states.append(follower.progress.state)
        lock = run.lock()
        follower.poll()
    assert states == ["training", "training", "training", "training", "interrupted"]
    lock.release()


def test_a_run_that_has_ended_needs_no_trainer(run: RunDirectory) -> None:
    write_events(run, [started(), RunFinished(time=1.0, step=1, state="finished", reason="", train_seconds=1.0)])
    assert run.progress().state == "finished"


def test_a_long_history_is_folded_in_pieces(run: RunDirectory) -> None:
    for step in range(2, 50):
        append(run, step)
    follower, polls = RunFollower(run), 1
    while follower.poll(1000):
        polls += 1
    assert polls > 5
    assert list(follower.progress.steps) == list(range(1, 50))
