"""`charrnn-tui watch`: follow a run, whichever process trains it."""

import math
import os
import sys
import threading
import time
from pathlib import Path

import click

from charrnn_tui.cli.facts import run_rows
from charrnn_tui.cli.open import show_app
from charrnn_tui.cli.options import (
    PROGRAM,
    Duration,
    FiniteFloat,
    json_option,
    low_bandwidth_option,
    run_names,
    runs_option,
)
from charrnn_tui.cli.output import DataStream, may_draw, say, write_facts
from charrnn_tui.cli.remote import run_there, watch_there
from charrnn_tui.cli.training_report import command_line, ending_lines, lines_for, started_lines, state_line
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import Event, StepDone, to_json
from charrnn_tui.run.follower import RunFollower
from charrnn_tui.run.mailbox import leave_request, request_from_line
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.runner.facts import run_facts
from charrnn_tui.runner.find_model import find_run_or_fail
from charrnn_tui.runner.remote_run import remote_name
from charrnn_tui.tui.opening import Opening

POLL_SECONDS = 0.25
HISTORY_STEPS = 1000


@click.command("watch")
@click.argument("run", metavar="RUN", shell_complete=run_names)
@click.option("--plain", is_flag=True, help="Lines instead of the full-screen app; also where there is no terminal.")
@click.option("--once", is_flag=True, help="Print the state of the run, and end.")
@click.option("--read-only", is_flag=True, help="In the app, without the keys that steer the training.")
@click.option(
    "--every",
    type=Duration(),
    default=0.0,
    metavar="TIME",
    help="With --json: at most one step in this time, such as 2s.",
)
@click.option("--after", type=FiniteFloat(), default=0.0, metavar="T", help="With --json: events after this Unix time.")
@click.option("--requests", is_flag=True, help="With --json: pass on requests from standard input, and end with it.")
@low_bandwidth_option
@runs_option
@json_option("With --once, one JSON object; else every event from the first, one JSON object per line.")
def watch_command(
    run: str,
    plain: bool,
    once: bool,
    read_only: bool,
    every: float,
    after: float,
    requests: bool,
    low_bandwidth: bool,
    runs_dir: Path,
    as_json: bool,
) -> int | None:
    """Follow a run until it ends, whichever process trains it; host:RUN is a run on another machine, by ssh.

    Watching never touches the training; Ctrl-C ends the watching only. In the app, keys such as
    pause and save send requests to the training process. With lines or JSON the exit code is 0 for a run that has
    finished or was asked to stop, and 1 for one that failed or was interrupted.
    """
    if not as_json and (every or after or requests):
        raise click.UsageError("--every, --after and --requests are of --json")
    plain = plain or as_json or not may_draw(sys.stdout)
    if (remote := remote_name(run, runs_dir)) is not None:
        host, name = remote
        if not name:
            raise click.UsageError(f"{run}RUN names a run there, and {PROGRAM} runs {run} lists them")
        if not (once or plain):
            return watch_there(host, name, runs_dir, read_only=read_only, low_bandwidth=low_bandwidth)
        flags = {"--once": once, "--plain": not (once or as_json), "--json": as_json, "--requests": requests}
        times = {f"--every={every}s": every, f"--after={after!r}": after}
        words = [word for word, given in (flags | times).items() if given]
        return run_there(host, "watch", name, *words, reads_input=requests)
    directory = find_run_or_fail(run, runs_dir)
    if requests:
        threading.Thread(target=_pass_on_requests, args=(directory,), name="requests", daemon=True).start()
    if once:
        write_facts(run_facts(directory), run_rows, as_json)
    elif plain:
        _follow(directory, runs_dir, _Thinned(every, after) if as_json else None)
    else:
        return show_app(runs_dir, Opening(run=directory, read_only=read_only), low_bandwidth=low_bandwidth)
    return None


class _Thinned:
    """Chooses the events that are written: no two steps closer than `every` seconds, none up to the time `after`.

    Of the history at most `HISTORY_STEPS` steps, evenly in time.
    """

    def __init__(self, every: float, after: float) -> None:
        self._every, self._after, self._last = every, after, -math.inf
        self.apart = every

    def begin(self, progress: RunProgress) -> None:
        """The history comes next, and this is what it amounts to."""
        if self._every and progress.started is not None:
            first = max(self._after, progress.started.time)
            self.apart = max(self._every, (progress.updated - first) / HISTORY_STEPS)

    def go_on(self) -> None:
        """What comes next is new."""
        self.apart = self._every

    def keeps(self, event: Event) -> bool:
        """Whether to write this one."""
        if event.time <= self._after:
            return False
        if isinstance(event, StepDone):
            if event.time - self._last < self.apart:
                return False
            self._last = event.time
        return True


def _pass_on_requests(directory: RunDirectory) -> None:
    """Leave the requests of standard input for the trainer; where it ends, so does the program."""
    for line in sys.stdin.buffer:
        if (request := request_from_line(line)) is not None:
            try:
                leave_request(directory.path, request)
            except OSError as error:
                say(f"{directory.path}: cannot be written: {error.strerror or error}")
    os._exit(0)  # the main thread waits for events


def _follow(directory: RunDirectory, runs: Path, thinned: _Thinned | None) -> None:
    """Write the events of a run until it ends. Raises ClickException if it failed or was interrupted.

    thinned: chooses the events that are written as JSON; None for lines, where the earlier ones are summed up.
    """
    stream, follower = DataStream(), RunFollower(directory)
    progress = follower.progress

    def show(event: Event, progress: RunProgress) -> None:
        if thinned is None:
            write_lines(lines_for(event, progress))
        elif thinned.keeps(event):
            stream.write_json(to_json(event))

    def write_lines(lines: list[str]) -> None:
        for line in lines:
            stream.write_line(line)

    if thinned is None:
        follower.poll()
        write_lines(_summary(progress))
    else:
        thinned.begin(directory.progress())
    follower.poll(on_event=show)
    if thinned is not None:
        thinned.go_on()
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
