"""`charrnn-tui runs`: all runs, the one written to last first."""

import sys
from pathlib import Path
from typing import Any

import click

from charrnn_tui.cli.facts import age, run_facts
from charrnn_tui.cli.options import PROGRAM, json_option, runs_option
from charrnn_tui.cli.output import DataStream, is_terminal, say, visible_line
from charrnn_tui.run.directory import list_runs, unreadable_runs
from charrnn_tui.run.quantities import count, size
from charrnn_tui.run.states import state_label

_WIDE = 1000  # columns into a pipe: nothing is cut off there
VAL, BEST = "val nats/char", "best nats/char"
_COLUMNS = (  # what a terminal of so many columns shows, beside names of usual length
    (114, ("run", "state", "step", "epoch", VAL, BEST, "batches", "kept", "size", "last event")),
    (92, ("run", "state", "step", BEST, "batches", "size", "last event")),
    (76, ("run", "state", "step", BEST, "batches", "size")),
    (48, ("run", "state", BEST, "batches")),
    (0, ("run", "state")),
)


@click.command("runs")
@runs_option
@json_option("Write a JSON array of objects.")
def runs_command(runs_dir: Path, as_json: bool) -> None:
    """List runs and their state, the one written to last first. Losses are in nats/char."""
    runs = [run_facts(run) for run in list_runs(runs_dir)]
    runs += [
        {"run": name, "directory": str((runs_dir / name).absolute()), "state": "unreadable", "owner": owner}
        for name, owner in unreadable_runs(runs_dir).items()
    ]
    if as_json:
        DataStream().write_json(runs)
    elif runs:
        _print_table(runs)
    else:
        say(f"no runs yet in {runs_dir}; start one with: {PROGRAM} train TEXT")


def _print_table(runs: list[dict[str, Any]]) -> None:
    from rich.console import Console  # `runs --json` needs no table
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, width=None if is_terminal(sys.stdout) else _WIDE, highlight=False)
    columns = next(names for least, names in _COLUMNS if console.width >= least)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        if name == "run":
            table.add_column(name, overflow="fold")  # whole, since it is what one types
        else:
            table.add_column(name, justify="left" if name == "state" else "right", no_wrap=True)
    for values in runs:
        cells = _cells(values)
        table.add_row(*(Text(visible_line(cells[name])) for name in columns))  # as Text: a name is not markup
    console.print(table)


def _cells(values: dict[str, Any]) -> dict[str, str]:
    if values["state"] == "unreadable":
        return dict.fromkeys(_COLUMNS[0][1], "–") | {"run": values["run"], "state": f"⊘ unreadable: {values['owner']}"}
    steps = f"{count(values['step'])}/{count(values['steps'])}" if values.get("steps") else "–"
    losses = [f"{values[key]:.4f}" if values.get(key) is not None else "–" for key in ("val_loss", "best_val_loss")]
    return {
        "run": values["run"],
        "state": state_label(values["state"]),
        "step": steps,
        "epoch": f"{values['epoch']}/{values['epochs']}" if values.get("epoch") and values.get("epochs") else "–",
        VAL: losses[0],
        BEST: losses[1],
        "batches": f"{values['batch_size']}×{values['seq_length']}" if values.get("batch_size") else "–",
        "kept": str(values["kept_checkpoints"]),
        "size": size(values["bytes"]),
        "last event": age(values["updated"]) if values["updated"] else "–",
    }
