"""`charrnn-tui [PATH]`: the app, on whatever PATH is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from charrnn_tui.cli.first_frame import NoTerminal, check_terminal, first_frame
from charrnn_tui.cli.options import low_bandwidth_option, runs_option
from charrnn_tui.run.directory import find_run
from charrnn_tui.runner.lasting_imports import imports_for_good

if TYPE_CHECKING:
    from charrnn_tui.run.settings import RunRequest


@click.command("open", options_metavar="[OPTIONS]")
@click.argument("path", type=click.Path(path_type=Path))
@low_bandwidth_option
@runs_option
def open_command(path: Path, low_bandwidth: bool, runs_dir: Path) -> int:
    """Open PATH, a text, a checkpoint or a run, in the full-screen app."""
    return open_target(path, runs_dir, low_bandwidth=low_bandwidth)


def open_target(target: Path | None, runs: Path, *, low_bandwidth: bool = False) -> int:
    """Run the app; gives its exit code. Raises ClickException where the target names nothing."""
    if target is not None:
        run = find_run(runs, str(target))
        if run is not None:
            target = run.path
        elif target.is_dir():
            raise click.ClickException(f"{target}: is a directory, but not of a run (it has no events.jsonl)")
        elif not target.exists():
            raise click.ClickException(f"{target}: no such file, and no run of this name in {runs}")
        elif not target.is_file():
            raise click.ClickException(
                f"{target}: is a pipe or a device, which the app cannot read again; charrnn-tui train reads it"
            )
    return show_app(runs, target, low_bandwidth=low_bandwidth)


def show_app(
    runs: Path,
    target: Path | None,
    *,
    start: RunRequest | None = None,
    resume: Mapping[str, Any] | None = None,
    read_only: bool = False,
    low_bandwidth: bool = False,
) -> int:
    """`open_app`; a terminal that cannot show the app is wrong usage."""
    try:
        check_terminal()
    except NoTerminal as error:
        raise click.UsageError(str(error)) from None
    with first_frame():
        with imports_for_good():
            from charrnn_tui.cli.app import open_app  # Textual: not before the app is asked for
            from charrnn_tui.runner.local_backend import LocalBackend

        backend = LocalBackend(runs)
        return open_app(backend, target, start=start, resume=resume, read_only=read_only, low_bandwidth=low_bandwidth)
