"""`charrnn-tui rm`, and the sizes that say what it frees."""

import json
from pathlib import Path

import pytest

from charrnn_tui.run.events import RunFinished, RunStarted
from charrnn_tui.run.run_tags import RunTag, write_tag
from tests.cli.conftest import Invoke, one_line
from tests.cli.test_runs import a_run

STARTED = RunStarted(time=1.0)
FINISHED = RunFinished(time=2.0, step=1, state="finished")


def test_runs_are_deleted_after_asking(invoke: Invoke, runs: Path) -> None:
    first, second, third = (a_run(runs, STARTED, FINISHED) for _ in range(3))
    (first.path / "log.txt").write_bytes(b"x" * (2510 - first.events_file.stat().st_size))
    asked = invoke("rm", first.name, second.path, first.path, answer="n\n")
    assert asked.exit_code == 1
    assert "Delete these 2 runs? [y/N]" in asked.stderr
    assert f"{first.path}, 2.51 kB\n" in asked.stderr
    assert asked.stderr.endswith("charrnn-tui: nothing is deleted\n")
    assert first.path.exists()
    assert invoke("rm", first.name, second.path, answer="y\n").exit_code == 0
    assert [path.name for path in runs.iterdir()] == [third.name]
    result = invoke("rm", third.name, "--yes")
    assert (result.exit_code, list(runs.iterdir())) == (0, [])
    assert result.stderr.startswith(f"deleted {third.path}, ")


def test_without_an_answer_nothing_is_deleted(invoke: Invoke, runs: Path) -> None:
    run = a_run(runs, STARTED, FINISHED)
    result = invoke("rm", run.name)
    assert result.exit_code == 1
    assert "nothing is deleted" in result.stderr
    assert "--yes deletes without asking" in result.stderr
    assert run.path.exists()


@pytest.mark.parametrize("reason", ["is being trained by process", "is pinned", "no such run"])
def test_what_may_not_be_deleted_keeps_the_others_too(invoke: Invoke, runs: Path, reason: str) -> None:
    run, other = a_run(runs, STARTED, FINISHED), a_run(runs, STARTED, FINISHED)
    lock = other.lock() if reason == "is being trained by process" else None
    if reason == "is pinned":
        write_tag(other, RunTag(pinned=True))
    result = invoke("rm", "--yes", run.name, "nobody" if reason == "no such run" else other.name)
    assert result.exit_code == 1
    assert reason in one_line(result)
    assert run.path.exists()
    assert other.path.exists()
    if lock is not None:
        lock.release()


def test_runs_tell_the_bytes_of_their_directories(invoke: Invoke, runs: Path) -> None:
    run = a_run(runs, STARTED, FINISHED)
    (run.path / "checkpoints").mkdir()
    with (run.path / "checkpoints" / "some.safetensors").open("wb") as file:
        file.truncate(97_000_000)
    (values,) = json.loads(invoke("runs", "--json").stdout)
    assert values["bytes"] == 97_000_000 + run.events_file.stat().st_size
    assert "97 MB" in invoke("runs").stdout
    assert "size        97 MB" in invoke("info", run.name).stdout
