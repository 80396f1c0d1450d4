"""Which model is meant, by name or where none is named."""

import os
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.playground.controls import DEFAULTS
from charrnn_tui.playground.session import SavedBranch, SavedModel, Session, write_session
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import RunFinished, RunStarted, StepDone, to_line
from charrnn_tui.runner.find_model import (
    SHIPPED,
    default_model,
    locate_checkpoint,
    shipped_checkpoint,
    shipped_checkpoints,
)
from charrnn_tui.sampling.recipe import Recipe
from charrnn_tui.sampling.settings import SamplingSettings
from tests.checkpoint.random_checkpoints import random_checkpoint


def a_step(step: int) -> StepDone:
    return StepDone(
        time=2.0,
        step=step,
        epoch=1,
        loss=2.0,
        grad_norm=1.0,
        lr=0.001,
        seconds=1.0,
        chars_per_second=1.0,
        train_seconds=1.0,
    )


def run_of(runs: Path, name: str, step: int, state: str = "finished", age: int = 0) -> Path:
    """A run of 2 × 100 steps that has come to `step`; gives its best checkpoint. age: seconds since it was written."""
    run = RunDirectory(runs / name)
    run.path.mkdir(parents=True)
    writer = EventWriter(run.events_file)
    writer.append(RunStarted(time=1.0, epochs=2, steps=200, steps_per_epoch=100))
    writer.append(a_step(step))
    if state:
        writer.append(RunFinished(time=3.0, step=step, state=state))
    writer.close()
    write_checkpoint(run.best_file, random_checkpoint())
    for file in (run.best_file, run.events_file):
        os.utime(file, (1e9 - age, 1e9 - age))
    return run.best_file


def test_the_shipped_model_is_the_default_where_nothing_was_trained(tmp_path: Path) -> None:
    assert default_model(tmp_path / "runs")[0] == shipped_checkpoint()
    assert shipped_checkpoint() is not None


def test_the_newest_run_that_has_learned_is_the_default(tmp_path: Path) -> None:
    run_of(tmp_path, "older", 200, age=20)
    newer = run_of(tmp_path, "newer", 200, age=10)
    run_of(tmp_path, "hardly-begun", 49, "stopped")
    assert default_model(tmp_path)[0] == newer


@pytest.mark.parametrize(
    ("step", "state", "learned"), [(50, "stopped", True), (49, "finished", False), (150, "interrupted", True)]
)
def test_a_quarter_of_the_steps_is_more_than_a_beginning(step: int, state: str, learned: bool, tmp_path: Path) -> None:
    file = run_of(tmp_path, "run", step, state)
    assert default_model(tmp_path)[0] == (file if learned else shipped_checkpoint())


def test_a_run_that_has_used_its_budget_is_more_than_a_beginning(tmp_path: Path) -> None:
    file = run_of(tmp_path, "run", 10)
    events = RunDirectory(file.parent).events_file
    started = RunStarted(time=1.0, epochs=1, steps=10, steps_per_epoch=100, settings={"budget": 60.0})
    events.write_text(to_line(started) + "".join(events.read_text().splitlines(keepends=True)[1:]))
    assert default_model(tmp_path)[0] == file


def test_of_a_long_history_the_end_counts(tmp_path: Path) -> None:
    file = run_of(tmp_path, "run", 49)
    with RunDirectory(file.parent).events_file.open("a") as events:
        for step in range(50, 1000):
            events.write(to_line(a_step(step)))
    assert default_model(tmp_path)[0] == file


def test_a_run_in_training_is_not_the_default_until_it_has_ended(tmp_path: Path) -> None:
    file = run_of(tmp_path, "run", 150, state="")
    lock = RunDirectory(file.parent).lock()
    assert default_model(tmp_path)[0] == shipped_checkpoint()
    lock.release()
    assert default_model(tmp_path)[0] == file


def session_with(runs: Path, model: Path, age: int) -> Path:
    """A session that was left with this model."""
    recipe = Recipe(str(model), "0" * 64, "", 0, {0: 1}, {0: SamplingSettings()}, {})
    branch = SavedBranch(SavedModel("file", str(model)), recipe.as_json(), "", "start", None, 0, (), False)
    file = runs / "sessions" / "left.json"
    write_session(file, Session(DEFAULTS, "", [branch], 0))
    os.utime(file, (1e9 - age, 1e9 - age))
    return file


def test_the_playground_is_opened_where_it_was_left(tmp_path: Path) -> None:
    older, newer = run_of(tmp_path, "older", 200, age=30), run_of(tmp_path, "newer", 200, age=20)
    session = session_with(tmp_path, older, age=10)
    assert default_model(tmp_path) == (older, session)
    older.unlink()
    assert default_model(tmp_path)[0] == newer


def test_a_model_that_was_finished_since_comes_before_where_it_was_left(tmp_path: Path) -> None:
    older = run_of(tmp_path, "older", 200, age=30)
    session = session_with(tmp_path, older, age=20)
    run_of(tmp_path, "hardly-begun", 20, age=10)
    assert default_model(tmp_path)[1] == session
    newer = run_of(tmp_path, "newer", 200, age=5)
    assert default_model(tmp_path) == (newer, None)


def test_shipped_models_go_by_their_short_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [locate_checkpoint(name, tmp_path).stem for name in SHIPPED] == list(SHIPPED)
    assert locate_checkpoint("anna", tmp_path) == shipped_checkpoint() == shipped_checkpoints()[0]
    (tmp_path / "anna").write_bytes(b"another file")
    assert locate_checkpoint("anna", tmp_path) == Path("anna")
    mine = run_of(tmp_path, "runs/anna", 200)
    assert locate_checkpoint("anna", tmp_path / "runs") == mine
    with pytest.raises(CheckpointError, match="emma: no such file, and no run of this name"):
        locate_checkpoint("emma", tmp_path)
