"""The program as a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = (sys.executable, "-m", "charrnn_tui")
ROOT = Path(__file__).parents[2]


def environment(runs: Path, **others: str) -> dict[str, str]:
    """This process's, with a place for runs and one thread, since others may be testing too."""
    return os.environ | {"CHARRNN_TUI_RUNS": str(runs), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | others


def start(*arguments: object, runs: Path, ignoring_sigint: bool = False, **others: str) -> subprocess.Popen[str]:
    """Start it with pipes for its output."""

    def set_sigint() -> None:  # as a shell's foreground or background job has it, whatever this process has
        signal.signal(signal.SIGINT, signal.SIG_IGN if ignoring_sigint else signal.default_int_handler)

    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment(runs, **others),
        preexec_fn=set_sigint,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """(exit code, the rest of standard output, standard error) when it has ended."""
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, stderr
