"""What happens when a training has ended: the terminal notifies of it, and a command is given the result."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from charrnn_tui.cli.facts import run_facts
from charrnn_tui.cli.output import notify, say, to_json_text
from charrnn_tui.cli.training_report import ending_lines
from charrnn_tui.run.directory import RunDirectory


@contextmanager
def notice_at_end(run: RunDirectory, command: str | None) -> Iterator[None]:
    """While inside, the run is trained; once it has ended, well or not, say so. command: for the shell, or None.

    A run that another process has taken over has not ended, nor has one that the person ends without waiting.
    """
    failure = None
    try:
        yield
    except Exception as error:
        failure = error
    progress = run.progress()
    if progress.ending is not None:
        notify(run.name, ", ".join(ending_lines(progress.ending, progress)))
        if command is not None:
            _run(command, run)
    if failure is not None:
        raise failure


def _run(command: str, run: RunDirectory) -> None:
    """Give a command the facts of the run, as `runs --json` has them; its output goes where the messages go."""
    sys.stderr.flush()
    facts = to_json_text(run_facts(run)) + "\n"
    done = subprocess.run(command, shell=True, input=facts.encode(), stdout=2, check=False)
    if done.returncode != 0:
        say(f"--on-end: the command ended with exit code {done.returncode}: {command}")
