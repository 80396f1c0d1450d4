"""`charrnn-tui train --grid`: one run for each combination of some settings, and a table of them by their loss."""

import difflib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from charrnn_tui.cli.options import PROGRAM, TextFileName
from charrnn_tui.cli.output import DataStream, may_draw, say
from charrnn_tui.cli.runs import print_by_settings
from charrnn_tui.cli.stop_signals import stop_signals
from charrnn_tui.cli.training_options import SETTING_TYPES
from charrnn_tui.native.cores import available_cores
from charrnn_tui.run.control import Control
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import duration
from charrnn_tui.run.settings import RunRequest, SettingsError
from charrnn_tui.runner.facts import run_facts
from charrnn_tui.runner.failures import DONE, FAILED
from charrnn_tui.runner.grid import Grid, GridRun, Outcome, check_existing, directories, grid_runs
from charrnn_tui.text.text_names import name_of


def split_words(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(grid, corpus): in `--grid lr=1e-3,2e-3 n_hidden=128,256 TEXT` the second word is of the grid, too."""
    grid = tuple(word for word in words if "=" in word and word.partition("=")[0].replace("-", "_") in SETTING_TYPES)
    return grid, tuple(word for word in words if word not in grid)


def grid_values(words: Sequence[str]) -> dict[str, list[Any]]:
    """The values of each setting in words such as `lr=1e-3,2e-3`. Raises UsageError."""
    found: dict[str, list[Any]] = {}
    for word in words:
        name, equals, values = word.partition("=")
        field = name.strip().replace("-", "_")
        if field not in SETTING_TYPES:
            near = difflib.get_close_matches(field, SETTING_TYPES, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"--grid {word}: there is no setting {name!r}{hint}")
        if field in found:
            raise click.UsageError(f"--grid {word}: {name} is given twice; its values belong together, with commas")
        each = [value.strip() for value in values.split(",") if value.strip()]
        if not equals or not each:
            raise click.UsageError(f"--grid {word}: expected values, as in {name}=1,2,3")
        kind = click.types.convert_type(SETTING_TYPES[field])
        try:
            found[field] = list(dict.fromkeys(kind.convert(value, None, None) for value in each))
        except click.BadParameter as error:
            raise click.UsageError(f"--grid {word}: {error.message}") from None
    return found


def train_grid(
    words: Sequence[str], corpus: Sequence[str], request: RunRequest, runs_dir: Path, jobs: int, as_json: bool
) -> int:
    """Train every combination and print the runs, the best first; the exit code is 1 if one has no result.

    request: what was given besides the grid; its name begins those of the runs.
    """
    values = grid_values(words)
    if both := [name for name in values if name in (request.given or ())]:
        raise click.UsageError(f"{both[0]} is varied by --grid and given, too: choose one")
    if TextFileName().convert("-", None, None) in corpus:
        raise click.UsageError("--grid reads the text once for each run, and standard input only once: save it first")
    settings = request.settings.to_json()
    given = {name: settings[name] for name in ("preset", *sorted(request.given or ()))}
    grid = grid_runs(request.name or name_of(corpus), values, given)
    for each in grid:
        try:
            replace(request.settings, **each.values)
        except SettingsError as error:
            raise click.UsageError(f"--grid: {error}") from None
    check_existing(grid, runs_dir, corpus)
    threads = max(1, available_cores() // jobs)
    options = ["--threads", str(threads)] if jobs > 1 and "threads" not in given and "threads" not in values else []
    with stop_signals(Control()) as stopping, _Shown(grid, runs_dir) as shown:
        outcomes = Grid(
            runs_dir, corpus, options, jobs, lambda: stopping.received is not None, shown.started, shown.ended
        ).train(grid, shown.look)
    trained = directories(grid, runs_dir)
    if as_json:
        DataStream().write_json([*map(run_facts, trained)])
    elif trained:
        print_by_settings(trained)
    if stopping.received:
        say(f"{PROGRAM}: interrupted; the same command goes on with the grid")
        return 128 + stopping.received
    return FAILED if any(outcome.problem for outcome in outcomes) else DONE


class _Shown:
    """A line for each run that starts or ends, and on a terminal a bar over the steps of all of them."""

    def __init__(self, grid: Sequence[GridRun], runs_dir: Path) -> None:
        self._grid, self._runs_dir, self._followers = grid, runs_dir, RunFollowers()
        self._training: dict[str, RunProgress] = {}
        self._done = 0
        self._bar = click.progressbar(
            length=1000 * len(grid), label=f"{len(grid)} runs", file=sys.stderr, hidden=not may_draw(sys.stderr)
        )
        self._drawn = 0

    def __enter__(self) -> "_Shown":
        self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.__exit__(None, None, None)

    def started(self, grid_run: GridRun, how: str) -> None:
        self._say(f"{grid_run.name}: {how}")
        self._training[grid_run.name] = RunProgress()

    def ended(self, outcome: Outcome) -> None:
        name = outcome.grid_run.name
        self._training.pop(name, None)
        self._done += 1
        self._say(f"{name}: {outcome.problem or self._result(RunDirectory(self._runs_dir / name).progress())}")

    def look(self) -> None:
        """Move the bar."""
        steps = 1000.0 * self._done
        for name in list(self._training):
            follower = self._followers.of(RunDirectory(self._runs_dir / name))
            follower.poll()
            steps += 1000 * follower.progress.step / max(1, follower.progress.total_steps)
        if int(steps) > self._drawn:
            self._bar.update(int(steps) - self._drawn)
            self._drawn = int(steps)

    def _say(self, line: str) -> None:
        if may_draw(sys.stderr):
            say("")  # below the bar
        say(line)

    @staticmethod
    def _result(progress: RunProgress) -> str:
        best, last = progress.best_evaluation, progress.last_step
        loss = f"best {best.val_loss:.4f} nats/char" if best else "not validated"
        return f"{progress.state}, {loss}" + (f", {duration(last.train_seconds)} of training" if last else "")
