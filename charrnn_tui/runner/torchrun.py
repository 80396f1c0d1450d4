"""Trainings that torchrun starts: rank 0 starts or resumes the run, the other ranks train with it."""

from pathlib import Path

from charrnn_tui.run.directory import RunDirectory, list_runs
from charrnn_tui.run.ranks import Torchrun
from charrnn_tui.runner.heavy_imports import heavy_imports


def run_of_job(launched: Torchrun, runs: Path) -> RunDirectory | None:
    """The run that this torchrun has begun before it started its processes anew, if it can be resumed."""
    of_job = (run for run in list_runs(runs) if run.read_settings().get("torchrun") == launched.job)
    return next((run for run in of_job if run.resume_file.exists()), None)


def train_with_rank_0() -> bool:
    """Train until rank 0 ends; whether it has said so, and has not just gone. Raises RanksLost."""
    with heavy_imports():  # torch: as in start_run
        from charrnn_tui.training.follower import follow
        from charrnn_tui.training.launch import join_torchrun
    return follow(join_torchrun())
