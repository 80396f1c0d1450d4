"""`train` in the processes that torchrun starts."""

import socket
import subprocess
from pathlib import Path

import pytest
import torch.distributed as dist

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.ranks import Torchrun
from charrnn_tui.runner.torchrun import run_of_job
from tests.cli.conftest import TINY, Invoke
from tests.cli.program import finish, start
from tests.cli.test_resume import events_of, until


def as_torchrun(rank: int, port: int, size: int = 2) -> dict[str, str]:
    """What it puts into the environment."""
    place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size)}
    return place | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "job"}


def started(text: Path, runs: Path, *others: object) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [start("train", text, *TINY, *others, runs=runs, **as_torchrun(rank, port)) for rank in (0, 1)]


@pytest.mark.skipif(not dist.is_available(), reason="this PyTorch has no torch.distributed")
def test_a_rank_that_dies_ends_both_and_the_next_start_goes_on_with_the_run(runs: Path, text_file: Path) -> None:
    first, second = started(text_file, runs, "--epochs", 8, "--name", "r")
    run = RunDirectory(runs / "r")
    until(lambda: run.events_file.exists() and any(event["event"] == "step_done" for event in events_of(run)))
    second.kill()
    code, _, said = finish(first)
    finish(second)
    assert code == 1
    assert "the training failed: another rank has ended, or cannot be reached after step " in said.splitlines()[-1]
    assert [finish(process)[0] for process in started(text_file, runs, "--epochs", 8, "--name", "r")] == [0, 0]
    begun, again = (event for event in events_of(run) if event["event"] == "run_started")
    assert begun["resumed_at_step"] is None
    assert 0 <= again["resumed_at_step"] < 360
    assert again["settings"]["ranks"] == 2
    assert (run.progress().state, run.progress().step) == ("finished", 360)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--app"], "--app and torchrun exclude each other: choose one"),
        (["--detach"], "--detach and torchrun exclude each other: choose one"),
        (["--grid", "lr=1,2"], "--grid and torchrun exclude each other: choose one"),
        (["--ranks", 3], "torchrun has started 2 processes: leave --ranks out"),
    ],
)
def test_what_does_not_go_with_torchrun_is_refused(
    options: list[str], words: str, invoke: Invoke, text_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in as_torchrun(0, 1).items():
        monkeypatch.setenv(name, value)
    result = invoke("train", text_file, *options)
    assert result.exit_code == 2
    assert words in result.stderr


def test_the_run_of_a_job_is_one_that_can_be_resumed(tmp_path: Path) -> None:
    for name, job in (("a", "this"), ("b", "other"), ("c", "this")):
        run = RunDirectory.create(tmp_path, name, None)
        run.write_settings({"torchrun": job})
        run.events_file.touch()
        if name != "c":
            run.resume_file.touch()
    found = run_of_job(Torchrun(0, 2, 0, 2, "this"), tmp_path)
    assert found is not None
    assert found.name == "a-1"
    assert run_of_job(Torchrun(0, 2, 0, 2, "third"), tmp_path) is None
