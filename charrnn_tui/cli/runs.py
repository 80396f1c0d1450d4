"""`charrnn-tui runs`: all runs, the one written to last first."""

import math
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, cast

import click

from charrnn_tui.cli.options import PROGRAM, json_option, run_names, runs_option
from charrnn_tui.cli.output import DataStream, DrawnStream, is_terminal, say, visible_line
from charrnn_tui.cli.remote import run_there
from charrnn_tui.run.directory import RunDirectory, list_runs, unreadable_runs
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.runner.facts import run_facts
from charrnn_tui.runner.failures import DONE
from charrnn_tui.runner.remote_run import remote_name
from charrnn_tui.tui.runs.run_rows import (
    BATCHES,
    BEST,
    EPOCH,
    KEPT,
    NAME,
    SIZE,
    STATE,
    STEP,
    UPDATED,
    VAL,
    cells_of,
    differing_settings,
    row_of,
    settings_of,
)

_PIPE_COLUMNS = 1000  # the width of the table in a pipe or a file, where nothing is cut off
_LAYOUTS = (  # least width of the terminal in columns, and what it shows
    (114, (NAME, STATE, STEP, EPOCH, VAL, BEST, BATCHES, KEPT, SIZE, UPDATED)),
    (92, (NAME, STATE, STEP, BEST, BATCHES, SIZE, UPDATED)),
    (76, (NAME, STATE, STEP, BEST, BATCHES, SIZE)),
    (48, (NAME, STATE, BEST, BATCHES)),
    (0, (NAME, STATE)),
)
_HEADINGS = {VAL: "val nats/char", BEST: "best nats/char", UPDATED: "last event"}  # others: the column's name


@click.command("runs")
@click.argument("patterns", nargs=-1, metavar="[NAME]...", shell_complete=run_names)
@click.option(
    "--settings", "by_settings", is_flag=True, help="The least loss first, with each setting in which the runs differ."
)
@runs_option
@json_option("Write a JSON array of objects.")
def runs_command(patterns: tuple[str, ...], by_settings: bool, runs_dir: Path, as_json: bool) -> int:
    """List runs and their state, the one written to last first. Losses are in nats/char.

    NAME: only runs of these names; in a pattern such as 'anna-*', * stands for anything. host: lists the runs of
    another machine, by ssh.
    """
    remote = remote_name(patterns[0], runs_dir) if patterns else None
    if remote is not None and not remote[1]:
        flags = {"--settings": by_settings, "--json": as_json}
        return run_there(remote[0], "runs", *patterns[1:], *(flag for flag, given in flags.items() if given))
    runs, unreadable = list_runs(runs_dir), unreadable_runs(runs_dir)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in [*(run.name for run in runs), *unreadable]):
            raise click.ClickException(f"{pattern}: there is no run of this name in {runs_dir}")
    if patterns:
        runs = [run for run in runs if any(fnmatchcase(run.name, pattern) for pattern in patterns)]
        unreadable = {
            name: owner for name, owner in unreadable.items() if any(fnmatchcase(name, each) for each in patterns)
        }
    if by_settings:
        runs = by_loss(runs)
    if as_json:
        unreadable_facts = [
            {"run": name, "directory": str((runs_dir / name).absolute()), "state": "unreadable", "owner": owner}
            for name, owner in unreadable.items()
        ]
        DataStream().write_json([*map(run_facts, runs), *unreadable_facts])
    elif by_settings and runs:
        print_by_settings(runs)
    elif runs or unreadable:
        followers = RunFollowers()
        rows = [cells_of(row_of(run, followers)) for run in runs]
        rows += [{NAME: name, STATE: f"⊘ unreadable: {owner}"} for name, owner in unreadable.items()]
        _print_table(rows)
    else:
        say(f"no runs yet in {runs_dir}; start one with: {PROGRAM} train TEXT")
    return DONE


def by_loss(runs: Sequence[RunDirectory]) -> list[RunDirectory]:
    """The runs, that of the least validation loss first, those without one last."""

    def loss(run: RunDirectory) -> float:
        best = run.progress().best_evaluation
        return best.val_loss if best else math.inf

    return sorted(runs, key=loss)


def print_by_settings(runs: Sequence[RunDirectory]) -> None:
    """Print the runs, the least loss first, with a column for each setting in which they differ."""
    followers = RunFollowers()
    rows = [row_of(run, followers) for run in by_loss(runs)]
    differing = differing_settings(rows)
    cells = [cells_of(row) | settings_of(row) for row in rows]
    _print_table(cells, (NAME, BEST, BATCHES, *differing, STATE))


def _print_table(rows: list[dict[str, str]], columns: Sequence[str] = ()) -> None:
    """Print these columns, or the usual ones that fit the terminal."""
    from rich.console import Console  # `runs --json` needs no table
    from rich.table import Table
    from rich.text import Text

    console = Console(
        file=cast(IO[str], DrawnStream(sys.stdout)),
        width=None if is_terminal(sys.stdout) else _PIPE_COLUMNS,
        highlight=False,
    )
    columns = columns or next(names for least, names in _LAYOUTS if console.width >= least)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        if name == NAME:
            table.add_column(name, overflow="fold")  # whole, since it is what one types
        else:
            heading = _HEADINGS.get(name, name)
            table.add_column(heading, justify="left" if name == STATE else "right", no_wrap=True)
    for cells in rows:
        table.add_row(*(Text(visible_line(cells.get(name) or "–")) for name in columns))  # as Text: a name is no markup
    console.print(table)
