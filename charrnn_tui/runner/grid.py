"""A grid of trainings: one run for each combination of some settings, each trained by a process of its own."""

import contextlib
import itertools
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from charrnn_tui.run.directory import RunDirectory, RunError, find_run
from charrnn_tui.run.settings import option

LOOK_SECONDS = 0.3  # between two looks at the trainings


@dataclass(frozen=True)
class GridRun:
    """One combination. values: of the settings that the grid varies. given: of all settings asked for by name."""

    name: str
    values: Mapping[str, Any]
    given: Mapping[str, Any]


@dataclass
class Outcome:
    """What became of a run of the grid. problem: why it has no result, or ""."""

    grid_run: GridRun
    problem: str = ""


def grid_runs(prefix: str, values: Mapping[str, Sequence[Any]], given: Mapping[str, Any]) -> list[GridRun]:
    """The combinations in the order of the values, the last setting varying fastest.

    A run is named after its values, so that the same grid finds the same runs again.
    """
    prefix = re.sub(r"[^\w.-]+", "-", prefix).strip("-._") or "text"
    found = []
    for combination in itertools.product(*values.values()):
        own = dict(zip(values, combination, strict=True))
        words = (f"{name}{value:g}" if isinstance(value, float) else f"{name}{value}" for name, value in own.items())
        found.append(GridRun("-".join([prefix, *words]), own, {**given, **own}))
    return found


def check_existing(grid: Sequence[GridRun], runs: Path, corpus: Sequence[str]) -> None:
    """Raise RunError if a run of the grid's names is there with another text or with other settings."""
    files = [str(file.resolve() if file.is_file() else file) for file in map(Path, corpus)]
    for each in grid:
        run = find_run(runs, each.name)
        if run is None:
            continue
        stored = run.read_settings()
        settings = stored.get("settings", {})
        other = [name for name, value in each.given.items() if name in settings and settings[name] != value]
        if stored.get("corpus", files) != files:
            problem = "of another text"
        elif other:
            problem = f"with {option(other[0])} {settings[other[0]]}, not {each.given[other[0]]}"
        else:
            continue
        raise RunError(f"{each.name}: there is a run of this name {problem}; name this grid by --name")


def as_options(settings: Mapping[str, Any]) -> list[str]:
    """Settings as options of `charrnn-tui train`."""
    words = []
    for name, value in settings.items():
        if isinstance(value, bool):
            words.append(option(name if value else f"no_{name}"))
        else:
            words += [option(name), str(value)]
    return words


@dataclass
class Grid:
    """Trains the runs, `jobs` at a time, each by `charrnn-tui train` in a session of its own.

    A run that has ended is left as it is; one that was interrupted is resumed.
    """

    runs: Path
    corpus: Sequence[str]
    options: Sequence[str]  # of `charrnn-tui train`, besides the settings
    jobs: int = 1
    stopping: Callable[[], bool] = lambda: False
    on_start: Callable[[GridRun, str], None] = lambda grid_run, how: None
    on_end: Callable[[Outcome], None] = lambda outcome: None
    _processes: set[subprocess.Popen[str]] = field(default_factory=set)

    def train(self, grid: Sequence[GridRun], on_look: Callable[[], None] = lambda: None) -> list[Outcome]:
        """The outcomes of the runs that were begun, in the order of the grid.

        Once `stopping()`, no more are begun, and those in training are asked to save and stop. on_look: called
        several times a second. On an exception, such as KeyboardInterrupt, the processes are ended at once.
        """
        outcomes: dict[str, Outcome] = {}
        waiting, asked = list(grid), False
        with ThreadPoolExecutor(self.jobs) as pool:
            pending: set[Future[Outcome]] = set()
            try:
                while pending or (waiting and not self.stopping()):
                    while waiting and len(pending) < self.jobs and not self.stopping():
                        pending.add(pool.submit(self._train_one, waiting.pop(0)))
                    done, pending = wait(pending, LOOK_SECONDS, FIRST_COMPLETED)
                    for future in done:
                        outcome = future.result()
                        outcomes[outcome.grid_run.name] = outcome
                        self.on_end(outcome)
                    if self.stopping() and not asked:
                        asked = True
                        self._send(signal.SIGINT)
                    on_look()
            except BaseException:
                self._send(signal.SIGTERM, signal.SIGTERM)  # the second one ends a training that is saving
                raise
        return [outcomes[each.name] for each in grid if each.name in outcomes]

    def _train_one(self, grid_run: GridRun) -> Outcome:
        run = find_run(self.runs, grid_run.name)
        command = [sys.executable, "-m", "charrnn_tui", "train", "--runs-dir", str(self.runs), *self.options]
        if run is not None:
            progress = run.progress()
            if (pid := run.trainer()) is not None:
                return Outcome(grid_run, f"is being trained by process {pid}")
            if progress.state in ("finished", "stopped"):
                return Outcome(grid_run)
            if progress.state == "failed":
                return Outcome(
                    grid_run, f"failed: {progress.reason}; to try again, delete it: charrnn-tui rm {run.name}"
                )
            if run.resume_file.exists():
                self.on_start(grid_run, f"resumed at step {progress.step:,}")
                return self._ended(grid_run, [*command, "--resume", str(run.path)])
            try:
                run.delete()  # interrupted before there was anything to resume
            except RunError as error:
                return Outcome(grid_run, str(error))
        self.on_start(grid_run, "started")
        return self._ended(
            grid_run, [*command, "--name", grid_run.name, *as_options(grid_run.given), "--", *self.corpus]
        )

    def _ended(self, grid_run: GridRun, command: Sequence[str]) -> Outcome:
        """Wait for the process. Its own session keeps the terminal's Ctrl-C from it, which it would get twice."""
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            self._processes.add(process)
            _, messages = process.communicate()
            self._processes.discard(process)
        run = find_run(self.runs, grid_run.name)
        if run is not None and run.progress().state in ("finished", "stopped", "interrupted"):
            return Outcome(grid_run)
        last = messages.strip().splitlines()[-1:] or [f"ended with code {process.returncode}"]
        return Outcome(grid_run, last[0].removeprefix("charrnn-tui: "))

    def _send(self, *signals: signal.Signals) -> None:
        for process in list(self._processes):
            for each in signals:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(each)


def directories(grid: Sequence[GridRun], runs: Path) -> list[RunDirectory]:
    """The runs of the grid that are there."""
    return [run for each in grid if (run := find_run(runs, each.name)) is not None]
