"""`charrnn-tui watch`: follow a run, whoever trains it."""

import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from charrnn_tui.cli.failures import Failed
from charrnn_tui.cli.listing import run_facts, run_rows, write_rows
from charrnn_tui.cli.open import show_app
from charrnn_tui.cli.options import PROGRAM, json_option, low_bandwidth_option, runs_option
from charrnn_tui.cli.output import DataStream
from charrnn_tui.cli.terminal_text import for_terminal
from charrnn_tui.cli.training_report import line_for, started_line, state_line
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.events import Event, to_json
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.runner.find_model import find_run_or_fail

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
    its trainer, whichever process that is. Where lines are followed to the end, the exit
    code is 0 for a run that has finished or was asked to stop, and 1 for one that failed, was interrupted or died.
    """
    directory = find_run_or_fail(run, runs_dir)
    if once:
        _write_state(directory, as_json)
        return None
    if plain or as_json or not (sys.stdout is not None and sys.stdout.isatty()):
        _follow(directory, as_json)
        return None
    return show_app(runs_dir, directory.path, read_only=read_only, low_bandwidth=low_bandwidth)


def _write_state(directory: RunDirectory, as_json: bool) -> None:
    stream = DataStream()
    if as_json:
        stream.write_json(run_facts(directory))
    else:
        write_rows(stream, run_rows(run_facts(directory)))


def _follow(directory: RunDirectory, as_json: bool) -> None:
    """Write what has happened and what happens until the run ends. Raises Failed unless it ends well."""
    stream, progress = DataStream(), RunProgress()
    tail = EventTail(directory.events_file)
    if as_json:
        for event in tail.read():
            progress.add(event)
            stream.write_json(to_json(event))
    else:
        tail.fold(progress)
        _write_past(stream, progress)
    for event in _coming(directory, tail, progress):
        progress.add(event)
        if as_json:
            stream.write_json(to_json(event))
        elif line := line_for(event, progress):
            stream.write(for_terminal(line) + "\n")
            stream.flush()
    if not progress.ended:
        if not directory.path.exists():
            raise Failed(f"{directory.name}: its directory is gone, after step {progress.step:,}")
        way_out = f"go on with {PROGRAM} train --resume {shlex.quote(str(directory.path))}"
        raise Failed(f"{directory.name}: the training process exited, after step {progress.step:,}; {way_out}")
    if progress.state in ("failed", "interrupted"):
        raise Failed(f"{directory.name}: {progress.state}: {progress.reason}")


def _write_past(stream: DataStream, progress: RunProgress) -> None:
    """What was before the watching began, in three lines at most."""
    lines = [started_line(progress.started)] if progress.started else []
    if progress.last_step:
        lines.append(state_line(progress))
    if progress.ending and (ending := line_for(progress.ending, progress)):
        lines.append(ending)
    for line in lines:
        stream.write(for_terminal(line) + "\n")
    stream.flush()


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
