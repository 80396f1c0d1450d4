"""When the terminal goes: what a run wants done, and how to come back to it."""

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
