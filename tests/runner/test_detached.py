"""Work that is started in a process of its own: what its starter is told, and what goes into the run's log."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_resume import until

# In a process of its own: a fork wants no other threads.
START = """
import os, pathlib, signal, sys
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.runner.detached import NotStarted, start_in_background
from charrnn_tui.runner.failures import explain
from charrnn_tui.text.text_file import CorpusError

run = RunDirectory(pathlib.Path(sys.argv[1]))

def work(report):
    if sys.argv[2] == "refused":
        raise CorpusError("no text")
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    report(run)
    print("at work", flush=True)
    if sys.argv[2] == "fails later":
        raise CorpusError("the text has gone")
    return 0

try:
    directory, pid = start_in_background(work, explain)
    print(directory.path == run.path, pid != os.getpid())
except NotStarted as error:
    print(error, error.exit_code)
"""


def told(run: Path, what: str) -> str:
    command = [sys.executable, "-c", START, str(run), what]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs sessions")
@pytest.mark.parametrize(
    ("what", "answer", "log"),
    [
        ("works", "True True", "at work\n"),
        ("fails later", "True True", "at work\nthe text has gone\n"),
        ("refused", "no text 1", None),
        ("killed", "the process for the training ended without a message 1", None),
    ],
)
def test_who_starts_work_in_the_background_is_told_how_it_began(
    what: str, answer: str, log: str | None, tmp_path: Path
) -> None:
    assert told(tmp_path, what) == answer
    file = tmp_path / "log.txt"
    if log is None:
        assert not file.exists()
    else:
        until(lambda: file.read_text() == log)
