"""`charrnn-tui runs`: all runs, the one written to last first."""

import sys
from pathlib import Path
from typing import IO, cast

import click

from charrnn_tui.cli.options import PROGRAM, json_option, runs_option
from charrnn_tui.cli.output import DataStream, DrawnStream, is_terminal, say, visible_line
from charrnn_tui.run.directory import list_runs, unreadable_runs
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.runner.facts import run_facts
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
    row_of,
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
@runs_option
@json_option("Write a JSON array of objects.")
def runs_command(runs_dir: Path, as_json: bool) -> None:
    """List runs and their state, the one written to last first. Losses are in nats/char."""
    runs, unreadable = list_runs(runs_dir), unreadable_runs(runs_dir)
    if as_json:
        unreadable_facts = [
            {"run": name, "directory": str((runs_dir / name).absolute()), "state": "unreadable", "owner": owner}
            for name, owner in unreadable.items()
        ]
        DataStream().write_json([*map(run_facts, runs), *unreadable_facts])
    elif runs or unreadable:
        followers = RunFollowers()
        rows = [cells_of(row_of(run, followers)) for run in runs]
        rows += [{NAME: name, STATE: f"⊘ unreadable: {owner}"} for name, owner in unreadable.items()]
        _print_table(rows)
    else:
        say(f"no runs yet in {runs_dir}; start one with: {PROGRAM} train TEXT")


def _print_table(rows: list[dict[str, str]]) -> None:
    from rich.console import Console  # `runs --json` needs no table
    from rich.table import Table
    from rich.text import Text

    console = Console(
        file=cast(IO[str], DrawnStream(sys.stdout)),
        width=None if is_terminal(sys.stdout) else _PIPE_COLUMNS,
        highlight=False,
    )
    columns = next(names for least, names in _LAYOUTS if console.width >= least)
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
