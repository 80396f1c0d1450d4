"""`charrnn-tui train`: a training without the app."""

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import click

from charrnn_tui.cli.configuration import configuration
from charrnn_tui.cli.end_notice import notice_at_end
from charrnn_tui.cli.failures import explain
from charrnn_tui.cli.grid import split_words, train_grid
from charrnn_tui.cli.open import show_app
from charrnn_tui.cli.options import (
    TextFileName,
    json_option,
    low_bandwidth_option,
    named_files,
    run_names,
    runs_option,
    unreadable_option,
)
from charrnn_tui.cli.output import DataStream, discard, say
from charrnn_tui.cli.stop_signals import Stopping, on_hangup, stop_signals
from charrnn_tui.cli.training_options import training_options
from charrnn_tui.cli.training_report import Show, come_back_lines, command_line, report_for, say_lines, where_lines
from charrnn_tui.run.control import Control, Stop
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import Event
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.ranks import Torchrun, torchrun
from charrnn_tui.run.settings import RunRequest, option, settings_for
from charrnn_tui.runner.detached import NotStarted, start_in_background
from charrnn_tui.runner.failures import DONE, FAILED
from charrnn_tui.runner.find_model import find_run_or_fail
from charrnn_tui.runner.resume import MAY_CHANGE, resume_run, set_text
from charrnn_tui.runner.start import Started, remove_unstarted, start_run
from charrnn_tui.runner.torchrun import run_of_job, train_with_rank_0
from charrnn_tui.text.text_names import Unreadable
from charrnn_tui.tui.opening import Opening

Begin = Callable[..., Started]  # start_run or resume_run with all arguments but `control` and `detached`
Notice = Callable[[RunDirectory], AbstractContextManager[None]]  # notice_at_end


@click.command("train")
@click.argument("corpus", nargs=-1, metavar="CORPUS...", type=TextFileName())
@training_options
@unreadable_option
@click.option("--name", metavar="NAME", help="Name of the run.  [default: that of the text, with a counter]")
@click.option(
    "--resume",
    "resumed",
    metavar="RUN",
    shell_complete=run_names,
    help="Continue this run exactly where it ended; CORPUS is needed only if its text was moved.",
)
@click.option("--take-over", is_flag=True, hidden=True, help="With --resume: from the process that trains it now.")
@click.option(
    "--detach", is_flag=True, help="Train in the background, without this terminal, and print how to come back."
)
@click.option(
    "--on-end",
    metavar="CMD",
    help="Shell command to run when the training has ended, with the result as JSON on its standard input.",
)
@click.option(
    "--grid",
    multiple=True,
    metavar="SETTING=VALUE,...",
    help="Train one run for each value, such as lr=0.003,0.01; with several settings, for each combination. The same "
    "command goes on with a grid that was interrupted.",
)
@click.option("--jobs", type=click.IntRange(1, 1024), default=1, show_default=True, help="Runs of a grid at a time.")
@runs_option
@click.option("--app", "in_app", is_flag=True, help="Start the training in the full-screen app.")
@low_bandwidth_option
@json_option(
    "Write the events to standard output, one JSON object per line; with --detach, the run and its process; with "
    "--grid, the runs as an array at the end."
)
def train_command(
    corpus: tuple[str, ...],
    preset: str | None,
    unreadable: Unreadable,
    name: str | None,
    resumed: str | None,
    take_over: bool,
    detach: bool,
    on_end: str | None,
    grid: tuple[str, ...],
    jobs: int,
    runs_dir: Path,
    in_app: bool,
    low_bandwidth: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Train a model on text files, read in the order given. CORPUS is a file, also a compressed one (.gz, .zst), a
    directory or a pattern such as 'texts/**/*.txt'; - is standard input, demo:python a text that every machine has:
    the source of Python's standard library.

    Ctrl-C and SIGTERM save the training and stop it; --resume continues it as if it had never stopped, also after a
    crash. When the terminal is lost, or the reader of --json leaves, the training continues. An option that is given
    overrides the preset.
    """
    launched = torchrun()
    if launched is not None:
        others = {"--app": in_app, "--detach": detach, "--grid": bool(grid)}
        _refuse_with_torchrun(launched, given["ranks"], others)
        if launched.rank:
            return DONE if train_with_rank_0() else FAILED
        given["ranks"] = launched.size
    for other, given_too in (("--json", as_json), ("--detach", detach), ("--on-end", on_end is not None)):
        if in_app and given_too:
            raise click.UsageError(f"--app and {other} exclude each other: choose one")
    if grid:
        more, corpus = split_words(corpus)
        grid = (*grid, *more)
        for other, given_too in (
            *(("--resume", resumed is not None), ("--detach", detach)),
            *(("--app", in_app), ("--on-end", on_end is not None)),
        ):
            if given_too:
                raise click.UsageError(f"--grid and {other} exclude each other: choose one")
    if given["budget"] is not None:
        for other in ("epochs", "max_steps"):
            if given[other] is not None:
                raise click.UsageError(f"--budget decides how long to train: leave {option(other)} out")
    config = configuration().config
    notice = partial(notice_at_end, command=on_end, in_terminal=config.notifications.terminal)
    if launched is not None and (begun := run_of_job(launched, runs_dir)) is not None:
        again = partial(resume_run, begun, changes={"ranks": launched.size})
        return _train(again, runs_dir, as_json, notice)
    if resumed is None:
        if not corpus:
            raise click.UsageError("Missing argument 'CORPUS...'")
        by_name = frozenset(field for field, value in given.items() if value is not None)
        given["on_hangup"] = given["on_hangup"] or config.train.on_hangup
        corpus, given["weights"] = _weighted(corpus, given, unreadable)
        request = RunRequest(corpus, settings_for(preset or config.train.preset, **given), name, by_name)
        if grid:
            return train_grid(grid, corpus, request, runs_dir, jobs, as_json)
        if in_app:
            return show_app(runs_dir, Opening(start=request), low_bandwidth=low_bandwidth)
        begin: Begin = partial(start_run, request, runs_dir)
    else:
        _refuse_changes({"preset": preset, "name": name, **given})
        run = find_run_or_fail(resumed, runs_dir)
        if corpus:
            set_text(run, named_files(corpus, run.read_settings().get("settings", {}).get("encoding"), unreadable))
        changes = {field: given[field] for field in MAY_CHANGE}
        if in_app:
            return show_app(runs_dir, Opening(run=run, resume=changes), low_bandwidth=low_bandwidth)
        begin = partial(resume_run, run, changes=changes, take_over=take_over)
    if detach:
        return _train_in_background(begin, runs_dir, as_json, notice)
    return _train(begin, runs_dir, as_json, notice)


def _refuse_with_torchrun(launched: Torchrun, ranks: int | None, others: dict[str, bool]) -> None:
    """Raise UsageError for options that are not for a process that torchrun has started."""
    for other in (other for other, given_too in others.items() if given_too):
        raise click.UsageError(f"{other} and torchrun exclude each other: choose one")
    if ranks not in (None, launched.size):
        raise click.UsageError(f"torchrun has started {launched.size} processes: leave --ranks out")


def _weighted(
    names: tuple[str, ...], given: Mapping[str, Any], unreadable: Unreadable
) -> tuple[tuple[str, ...], str | None]:
    """The files that the names of texts mean, and the weight of each file, if the names have some."""
    if not given["weights"]:
        return named_files(names, given["encoding"], unreadable), given["weights"]
    weights = given["weights"].replace(" ", "").split(",")
    if len(weights) != len(names):
        raise click.UsageError(f"--weights {given['weights']}: {len(weights)} for {len(names)} CORPUS; give each one")
    files, of_files = list[str](), list[str]()
    for name, weight in zip(names, weights, strict=True):
        found = named_files((name,), given["encoding"], unreadable)
        files += found
        of_files += [weight] * len(found)
    return tuple(files), ",".join(of_files)


def _refuse_changes(given: dict[str, Any]) -> None:
    """Raise UsageError for an option that cannot change in a resumed run."""
    asked = [option(field) for field, value in given.items() if value is not None and field not in MAY_CHANGE]
    if asked:
        may = ", ".join(map(option, MAY_CHANGE))
        raise click.UsageError(f"--resume continues the run as it is: {asked[0]} cannot change (only {may})")


def _train(begin: Begin, runs_dir: Path, as_json: bool, notice: Notice) -> int:
    control = Control()
    with stop_signals(control) as stopping:
        directory, events = begin(control, detached=False)
        stopping.on_hangup = on_hangup(directory)
        if not as_json:
            say(f"run directory: {directory.path}")
        with notice(directory), closing(events), report_for(directory, as_json) as show:
            progress, output_error = _drive(directory, events, show, control)
        if not as_json and progress.unsaved is None and (lines := where_lines(directory, runs_dir)):
            say(*lines)
        if progress.state == "interrupted" and directory.resume_file.exists():
            say(f"resume with: {command_line('train --resume', directory, runs_dir)}")
    return _exit_code(directory, progress, output_error, stopping)


def _train_in_background(begin: Begin, runs_dir: Path, as_json: bool, notice: Notice) -> int:
    """Train in another process, without a terminal; return once it is ready for its first step."""

    def work(report: Callable[[RunDirectory], None]) -> int:
        control = Control()
        with stop_signals(control) as stopping:
            directory, events = begin(control, detached=True)
            with notice(directory), closing(events):
                first = next(events)
                report(directory)
                progress, output_error = _drive(directory, chain([first], events), say_lines, control)
        return _exit_code(directory, progress, output_error, stopping)

    try:
        directory, pid = start_in_background(work, explain)
    except NotStarted:
        remove_unstarted(runs_dir)  # a process that was killed could not do so
        raise
    if as_json:
        DataStream().write_json({"run": directory.name, "directory": str(directory.path), "pid": pid})
    else:
        say(f"run directory: {directory.path}")
        say(*come_back_lines(directory, runs_dir, pid))
    return DONE


def _exit_code(directory: RunDirectory, progress: RunProgress, output_error: str | None, stopping: Stopping) -> int:
    if progress.state == "failed":
        raise click.ClickException(f"the training failed: {progress.reason}")
    if (problem := progress.unsaved) is not None:
        kept = directory.resume_file.exists()
        way = f"make room, then resume with: {command_line('train --resume', directory, directory.path.parent)}"
        raise click.ClickException(
            f"the model of step {progress.step:,} is lost: {problem}" + (f"; {way}" if kept else "")
        )
    if output_error is not None:
        saved = " and saved" if directory.last_file.exists() else ""  # there is nothing before the first step
        raise click.ClickException(f"{output_error}: stopped{saved} at step {progress.step:,}")
    return 128 + stopping.received if progress.state == "interrupted" and stopping.received else DONE


def _drive(
    directory: RunDirectory, events: Iterable[Event], show: Show, control: Control
) -> tuple[RunProgress, str | None]:
    """Train to the end and show each event; returns the progress, and the error of standard output or None.

    The training continues if the reader of standard output leaves, and stops if it cannot be written to.
    """
    progress, output_error, shown = RunProgress(), None, True
    for event in events:
        progress.add(event)
        if not shown:
            continue
        try:
            show(event, progress)
        except OSError as error:
            shown = False
            discard(sys.stdout)
            if isinstance(error, BrokenPipeError):
                say(
                    "nobody reads standard output any more; the training continues, "
                    f"its events are in {directory.events_file}"
                )
            else:
                output_error = f"standard output: {error.strerror or error}"
                control.request(Stop("stopped", f"{output_error}; the events cannot be written"))
    return progress, output_error
