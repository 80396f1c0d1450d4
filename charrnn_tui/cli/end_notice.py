"""The end of a training: a notification, and a shell command that is given the result."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from charrnn_tui.cli.output import notify, say, to_json_text
from charrnn_tui.cli.training_report import ending_lines
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.runner.facts import run_facts


@contextmanager
def notice_at_end(run: RunDirectory, command: str | None, *, in_terminal: bool = True) -> Iterator[None]:
    """When the training inside has ended, also by an error, notify the terminal and run the shell command, if any.

    in_terminal: whether the terminal is notified. Nothing is done if another process has
    taken the run over, nor after a second Ctrl-C.
    """
    try:
        yield
    except Exception:
        _give_notice(run, command, in_terminal)
        raise
    _give_notice(run, command, in_terminal)


def _give_notice(run: RunDirectory, command: str | None, in_terminal: bool) -> None:
    progress = run.progress()
    if progress.ending is not None:
        if in_terminal:
            notify(run.name, ", ".join(ending_lines(progress.ending, progress)))
        if command is not None:
            _run(command, run)


def _run(command: str, run: RunDirectory) -> None:
    """Run a command with the facts of the run, as in `runs --json`, as input; its output goes to standard error."""
    sys.stderr.flush()
    facts = to_json_text(run_facts(run)) + "\n"
    done = subprocess.run(command, shell=True, input=facts.encode(), stdout=2, check=False)
    if done.returncode != 0:
        say(f"--on-end: the command ended with exit code {done.returncode}: {command}")
