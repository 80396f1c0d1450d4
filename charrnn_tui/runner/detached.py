"""Training in a process without a terminal, which continues when the one that started it has ended."""

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.settings import SettingsError
from charrnn_tui.runner.failures import FAILED

Report = Callable[[RunDirectory], None]
Explain = Callable[[Exception], tuple[str, int] | None]


class NotStarted(Exception):
    """The child process ended before it had a run; its message and its exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def start_in_background(work: Callable[[Report], int], explain: Explain) -> tuple[RunDirectory, int]:
    """Run `work` in a new session; returns its run and process id as soon as it has reported them.

    work: is given a function to report its run with; returns the exit code. explain: as `failures.explain`. Call it
    before there are threads. Raises NotStarted, SettingsError where the system has no sessions.
    """
    if not hasattr(os, "fork"):
        raise SettingsError("detach", "needs a system with sessions, such as Linux or macOS")
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    middle = os.fork()
    if middle == 0:
        os.close(reading)
        os.setsid()
        if os.fork():  # the leader of a session could be given a terminal again
            os._exit(0)
        _work_alone(work, explain, writing)
    os.close(writing)
    os.waitpid(middle, 0)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        line = pipe.read() or '{"error": "the process for the training ended without a message", "code": 1}'
    values = json.loads(line)
    if "error" in values:
        raise NotStarted(values["error"], values["code"])
    return RunDirectory(Path(values["directory"])), values["pid"]


def _work_alone(work: Callable[[Report], int], explain: Explain, pipe: int) -> NoReturn:
    """The child: no terminal, its output into the run's log once there is a run; never returns."""
    _point_output_at(os.devnull)
    code, reported = FAILED, False

    def report(directory: RunDirectory) -> None:
        nonlocal reported
        reported = True
        _point_output_at(directory.log_file)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # not before: the text may come from standard input
        _send(pipe, {"directory": str(directory.path.absolute()), "pid": os.getpid()})

    try:
        code = work(report)
    except Exception as error:
        explained = explain(error)
        message, code = explained or (f"{type(error).__name__}: {error}", FAILED)
        if not reported:
            _send(pipe, {"error": " ".join(message.splitlines()), "code": code})
        elif explained is not None:
            print(message, file=sys.stderr)
        else:
            traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # without the exit handlers that the parent has registered


def _send(pipe: int, values: dict[str, object]) -> None:
    with os.fdopen(pipe, "w", encoding="utf-8") as stream:
        json.dump(values, stream)


def _point_output_at(path: str | Path) -> None:
    output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
