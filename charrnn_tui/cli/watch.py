"""`charrnn-tui watch`: follow a run, whichever process trains it."""

import sys
import time
from pathlib import Path

import click

from charrnn_tui.cli.facts import run_rows
from charrnn_tui.cli.open import show_app
from charrnn_tui.cli.options import json_option, low_bandwidth_option, run_names, runs_option
from charrnn_tui.cli.output import DataStream, may_draw, write_facts
from charrnn_tui.cli.training_report import command_line, ending_lines, lines_for, started_lines, state_line
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import Event, to_json
from charrnn_tui.run.follower import RunFollower
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.runner.facts import run_facts
from charrnn_tui.runner.find_model import find_run_or_fail
from charrnn_tui.tui.opening import Opening

POLL_SECONDS = 0.25


@click.command("watch")
@click.argument("run", metavar="RUN", shell_complete=run_names)
@click.option("--plain", is_flag=True, help="Lines instead of the full-screen app; also where there is no terminal.")
@click.option("--once", is_flag=True, help="Print the state of the run, and end.")
@click.option("--read-only", is_flag=True, help="In the app, without the keys that steer the training.")
@low_bandwidth_option
@runs_option
@json_option("With --once, one JSON object; else every event from the first, one JSON object per line.")
def watch_command(
    run: str, plain: bool, once: bool, read_only: bool, low_bandwidth: bool, runs_dir: Path, as_json: bool
) -> int | None:
    """Follow a run until it ends, whichever process trains it.

    Watching never touches the training; Ctrl-C ends the watching only. In the app, keys such as
    pause and save send requests to the training process. With lines or JSON the exit code is 0 for a run that has
    finished or was asked to stop, and 1 for one that failed or was interrupted.
    """
    directory = find_run_or_fail(run, runs_dir)
    if once:
        write_facts(run_facts(directory), run_rows, as_json)
    elif plain or as_json or not may_draw(sys.stdout):
        _follow(directory, runs_dir, as_json)
    else:
        return show_app(runs_dir, Opening(run=directory, read_only=read_only), low_bandwidth=low_bandwidth)
    return None


def _follow(directory: RunDirectory, runs: Path, as_json: bool) -> None:
    """Write the events of a run until it ends. Raises ClickException if it failed or was interrupted.

    As JSON every event is written; as lines, the earlier ones are summed up.
    """
    stream, follower = DataStream(), RunFollower(directory)
    progress = follower.progress

    def show(event: Event, progress: RunProgress) -> None:
        if as_json:
            stream.write_json(to_json(event))
        else:
            write_lines(lines_for(event, progress))

    def write_lines(lines: list[str]) -> None:
        for line in lines:
            stream.write_line(line)

    if not as_json:
        follower.poll()
        write_lines(_summary(progress))
    follower.poll(on_event=show)
    while not progress.ended:
        time.sleep(POLL_SECONDS)
        follower.poll(on_event=show)
    if progress.ending is not None:
        if progress.state in ("failed", "interrupted"):
            raise click.ClickException(f"{directory.name}: {progress.state}: {progress.reason}")
    elif not directory.path.exists():
        raise click.ClickException(f"{directory.name}: its directory is gone, after step {progress.step:,}")
    else:
        way_out = f"resume with: {command_line('train --resume', directory, runs)}"
        raise click.ClickException(f"{directory.name}: {progress.reason}, after step {progress.step:,}; {way_out}")


def _summary(progress: RunProgress) -> list[str]:
    """The start of the run, its last figures, and how it ended if it has."""
    lines = started_lines(progress.started) if progress.started else []
    if progress.last_step:
        lines.append(state_line(progress))
    return lines + (ending_lines(progress.ending, progress) if progress.ending else [])
