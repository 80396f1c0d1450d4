"""`charrnn-tui watch`: follow a run, whoever trains it."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from charrnn_tui.cli.facts import run_facts, run_rows
from charrnn_tui.cli.open import show_app
from charrnn_tui.cli.options import json_option, low_bandwidth_option, runs_option
from charrnn_tui.cli.output import DataStream, may_draw, write_facts
from charrnn_tui.cli.training_report import command_line, ending_lines, lines_for, started_lines, state_line
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.events import Event, to_json
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.runner.find_model import find_run_or_fail
from charrnn_tui.tui.opening import Opening

POLL_SECONDS = 0.25


@click.command("watch")
@click.argument("run", metavar="RUN")
@click.option("--plain", is_flag=True, help="Lines instead of the full-screen app; also where there is no terminal.")
@click.option("--once", is_flag=True, help="Say how it stands, and end.")
@click.option("--read-only", is_flag=True, help="In the app, without the keys that steer the training.")
@low_bandwidth_option
@runs_option
@json_option("With --once, one JSON object; else every event from the first, one JSON object per line.")
def watch_command(
    run: str, plain: bool, once: bool, read_only: bool, low_bandwidth: bool, runs_dir: Path, as_json: bool
) -> int | None:
    """Follow a run until it ends, whoever trains it.

    Watching never touches the training; Ctrl-C ends the watching only. In the app the keys that steer a training ask
    its trainer, whichever process that is. Where lines are followed to the end, the exit code is 0 for a run that has
    finished or was asked to stop, and 1 for one that failed, was interrupted or died.
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
    """Write what has happened and what happens until the run ends. Raises ClickException unless it ends well."""
    stream, progress = DataStream(), RunProgress()
    tail = EventTail(directory.events_file)
    if not as_json:
        tail.fold(progress)
        for line in _past_lines(progress):
            stream.write_line(line)
    for event in _coming(directory, tail, progress):
        progress.add(event)
        if as_json:
            stream.write_json(to_json(event))
        else:
            for line in lines_for(event, progress):
                stream.write_line(line)
    if not progress.ended:
        if not directory.path.exists():
            raise click.ClickException(f"{directory.name}: its directory is gone, after step {progress.step:,}")
        way_out = f"resume with: {command_line('train --resume', directory, runs)}"
        raise click.ClickException(
            f"{directory.name}: the training process exited, after step {progress.step:,}; {way_out}"
        )
    if progress.state in ("failed", "interrupted"):
        raise click.ClickException(f"{directory.name}: {progress.state}: {progress.reason}")


def _past_lines(progress: RunProgress) -> list[str]:
    """What was before the watching began: the start, how it stands, the end."""
    lines = started_lines(progress.started) if progress.started else []
    if progress.last_step:
        lines.append(state_line(progress))
    return lines + (ending_lines(progress.ending, progress) if progress.ending else [])


def _coming(directory: RunDirectory, tail: EventTail, progress: RunProgress) -> Iterator[Event]:
    """New events as they are written, until the run ends or nobody trains it any more."""
    missed = 0  # a run that is handed from one process to another has no trainer for a moment
    while not progress.ended:
        alive = directory.trainer() is not None  # asked first: what it wrote before it died is read after that
        found = False
        for event in tail.read():
            found = True
            yield event
        if not found:
            missed = 0 if alive else missed + 1
            if missed > 3:
                return
            time.sleep(POLL_SECONDS)
