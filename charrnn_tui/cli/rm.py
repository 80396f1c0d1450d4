"""`charrnn-tui rm`: delete runs."""

import sys
from pathlib import Path

import click

from charrnn_tui.cli.options import run_names, runs_option
from charrnn_tui.cli.output import is_terminal, say
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.quantities import size
from charrnn_tui.run.run_tags import files_of, read_tag
from charrnn_tui.runner.find_model import find_run_or_fail


@click.command("rm")
@click.argument("names", nargs=-1, required=True, metavar="RUN...", shell_complete=run_names)
@click.option("--yes", is_flag=True, help="Do not ask.")
@runs_option
def rm_command(names: tuple[str, ...], yes: bool, runs_dir: Path) -> None:
    """Delete runs with all their files, after asking.

    A run that is being trained or is pinned is refused, and then none is deleted.
    """
    runs = list({run.path.resolve(): run for run in (find_run_or_fail(name, runs_dir) for name in names)}.values())
    for run in runs:
        _refuse_if_needed(run)
    if not yes:
        say(*map(_with_size, runs))
        question = "Delete this run?" if len(runs) == 1 else f"Delete these {len(runs)} runs?"
        try:
            confirmed = click.confirm(question, err=True)
        except click.Abort:
            if is_terminal(sys.stdin):
                raise
            way = "standard input has no answer; --yes deletes without asking"
            raise click.ClickException(f"nothing is deleted: {way}") from None
        if not confirmed:
            raise click.ClickException("nothing is deleted")
    for run in runs:
        deleted = f"deleted {_with_size(run)}"
        run.delete()
        say(deleted)


def _refuse_if_needed(run: RunDirectory) -> None:
    if (pid := run.trainer()) is not None:
        raise click.ClickException(f"{run.name}: is being trained by process {pid}; stop that first")
    if read_tag(run).pinned:
        raise click.ClickException(f"{run.name}: is pinned; p in the app's list of runs unpins it")


def _with_size(run: RunDirectory) -> str:
    return f"{run.path}, {size(sum(file_bytes for _, file_bytes in files_of(run)))}"
