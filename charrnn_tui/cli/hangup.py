"""When the terminal goes: what a run wants done, what becomes of its descriptors, and how to come back to the run."""

import os
import shlex
from pathlib import Path

from charrnn_tui.cli.options import PROGRAM, default_runs_directory
from charrnn_tui.run.directory import RunDirectory


def come_back_lines(directory: RunDirectory, runs_dir: Path, pid: int | str | None) -> str:
    """How to return to a run that is trained without a terminal."""
    elsewhere = "" if runs_dir == default_runs_directory() else f" --runs-dir {shlex.quote(str(runs_dir))}"
    name = shlex.quote(directory.name)
    by = f" (process {pid})" if pid else ""
    return f"{directory.name} trains on without this terminal{by}\ncome back with: {PROGRAM} watch {name}{elsewhere}"


def on_hangup(directory: RunDirectory) -> str:
    """What this run wants done when its terminal goes."""
    settings = directory.read_settings().get("settings")
    return str(settings.get("on_hangup", "continue")) if isinstance(settings, dict) else "continue"


def point_at_nothing(descriptors: list[int]) -> None:
    """For a terminal that is gone: reading it would spin, writing to it would block or fail."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)
