"""`charrnn-tui [PATH]`: open a text, a checkpoint or a run in the app."""

import os
from pathlib import Path

import click

from charrnn_tui.cli.configuration import configuration
from charrnn_tui.cli.first_frame import check_terminal, first_frame
from charrnn_tui.cli.options import PROGRAM, low_bandwidth_option, runs_option
from charrnn_tui.run.directory import find_run
from charrnn_tui.runner.heavy_imports import heavy_imports
from charrnn_tui.text.demo import text_path
from charrnn_tui.tui.opening import Opening


@click.command("open", options_metavar="[OPTIONS]")
@click.argument("path", metavar="", type=click.Path(path_type=Path))
@low_bandwidth_option
@runs_option
def open_command(path: Path, low_bandwidth: bool, runs_dir: Path) -> int:
    """Open PATH, a text (or demo:python), a checkpoint or a run, in the full-screen app."""
    run = find_run(runs_dir, str(path))
    if run is not None:
        return show_app(runs_dir, Opening(run=run), low_bandwidth=low_bandwidth)
    path = Path(text_path(str(path)))
    if path.is_dir():
        raise click.ClickException(
            f"{path}: is a directory, but not of a run; {PROGRAM} train {path} trains on its texts"
        )
    if not path.exists():
        from charrnn_tui.runner.find_model import locate_checkpoint  # loads NumPy: not before it is needed

        path = locate_checkpoint(path, runs_dir)  # the shipped model by its name, or an error
    if not path.is_file():
        raise click.ClickException(
            f"{path}: is a pipe or a device, which the app cannot read again; {PROGRAM} train reads it"
        )
    return show_app(runs_dir, path, low_bandwidth=low_bandwidth)


def show_app(runs: Path, first: Opening | Path | None, *, low_bandwidth: bool = False) -> int:
    """Run the app; returns its exit code. first: a Path is a text or a checkpoint; None: continue where it was left.

    Raises UsageError where the terminal cannot show it.
    """
    check_terminal()
    os.environ["TEXTUAL_FPS"] = str(configuration().config.frames_per_second)  # read when Textual is imported
    with first_frame():
        with heavy_imports():
            from charrnn_tui.cli.app import open_app  # Textual: not before the app is asked for

        return open_app(runs, first, low_bandwidth=low_bandwidth)
