"""A run on another machine, reached through the user's own ssh: a copy of its events here, requests sent back.

Everything that shows a run reads the copy's directory as it reads any other: its events.jsonl is fed by
`charrnn-tui watch RUN --json` on the other machine, and what is left in its `control` directory is passed on to that
command. The copy is locked as long as the run is followed, so that it counts as being trained.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from charrnn_tui.run.decoding import DecodingError, read_json
from charrnn_tui.run.directory import EventWriter, RunDirectory, RunError, find_run
from charrnn_tui.run.events import AlarmRaised, Event, RunFinished, RunStarted, from_line
from charrnn_tui.run.files import write_atomically
from charrnn_tui.run.lock import RunLock
from charrnn_tui.run.mailbox import Mailbox, request_to_line

SSH_VARIABLE, PROGRAM_VARIABLE = "CHARRNN_TUI_SSH", "CHARRNN_TUI_REMOTE"
SECONDS_BETWEEN_STEPS = 2.0  # of a run that is followed: a step is 250 bytes
RETRY_SECONDS = 5.0
_SSH_FAILED = 255  # the exit code of ssh where the connection failed; other codes are the command's
_KEEP_ALIVE = ("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=2")
_FIRST_SECONDS = 0.1


def remote_name(reference: str, runs: Path) -> tuple[str, str] | None:
    """(host, run) of `host:RUN`, (host, "") of `host:`; None for anything here: a run, a file, a Windows drive."""
    host, colon, run = reference.partition(":")
    if not colon or len(host) < 2 or "/" in host or host.startswith("-"):
        return None
    return None if find_run(runs, reference) or Path(reference).exists() else (host, run)


def there(host: str, *words: str, keep_alive: bool = False) -> list[str]:
    """The command line that runs `charrnn-tui WORDS` on the host."""
    ssh = shlex.split(os.environ.get(SSH_VARIABLE, "")) or ["ssh", *(_KEEP_ALIVE if keep_alive else ())]
    return [*ssh, host, f"{os.environ.get(PROGRAM_VARIABLE, 'charrnn-tui')} {shlex.join(words)}"]


class RemoteRun:
    """Follows a run of another machine until it ends, reconnecting when the connection is lost."""

    def __init__(self, host: str, run: str, copies: Path, retry_seconds: float = RETRY_SECONDS) -> None:
        """copies: where its copy is made, in place of an earlier one."""
        self.host, self.run, self._retry_seconds = host, run, retry_seconds
        self.directory = RunDirectory(copies / _as_name(host) / _as_name(run.rstrip("/").rpartition("/")[2]))
        self._process: subprocess.Popen[bytes] | None = None
        self._closed, self._first = threading.Event(), threading.Event()
        self._after = 0.0  # time of the last event that is known
        self._ended = False
        self._problem = ""

    def open(self) -> None:
        """Connect, and wait for the first event. Raises RunError with what ssh or the program there said."""
        path = self.directory.path
        try:
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
            where = json.dumps({"host": self.host, "run": self.run})
            write_atomically(self.directory.remote_file, where.encode("utf-8", "backslashreplace"))
            self._lock: RunLock = self.directory.lock()
            self._writer = EventWriter(self.directory.events_file)
        except OSError as error:
            raise RunError(f"{path}: no copy can be made there: {error.strerror or error}") from None
        self._mailbox = Mailbox(path)
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._follow, "remote events"), (self._pass_on, "remote requests"))
        ]
        for thread in self._threads:
            thread.start()
        self._first.wait()
        if self._problem:
            self.close()
            raise RunError(f"{self.host}: {self._problem}")

    def close(self) -> None:
        """End the connection; the training there goes on."""
        self._closed.set()
        if self._process is not None:
            self._process.terminate()
        for thread in self._threads:
            thread.join()
        self._writer.close()
        self._lock.release()

    def _follow(self) -> None:
        lost = False
        while not self._closed.is_set():
            code, said = self._receive()
            if self._closed.is_set() or self._ended:
                break
            if not self._first.is_set():
                self._problem = said or f"the connection ended with code {code}"
                break
            if code not in (_SSH_FAILED, -9, -13, -15):  # the trainer there died
                break
            if not lost:
                message = f"the connection to {self.host} is lost; trying again every {self._retry_seconds:g} s"
                self._append(AlarmRaised(time=time.time(), step=self._step, kind="connection", message=message))
            lost = True
            self._closed.wait(self._retry_seconds)
        self._first.set()
        self._lock.release()  # without a trainer, the copy of a run that has not ended is interrupted

    _step = 0

    def _receive(self) -> tuple[int, str]:
        """Append the events of one connection; returns how it ended: the exit code, and the last line of messages."""
        words = ("watch", self.run, "--json", "--requests", "--every", f"{SECONDS_BETWEEN_STEPS:g}s")
        command = there(self.host, *words, "--after", repr(self._after), keep_alive=True)
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
        except OSError as error:
            return _SSH_FAILED, f"{command[0]}: {error.strerror or error}"
        with process:
            said = list[str]()
            messages = threading.Thread(target=_last_line, args=(process.stderr, said), daemon=True)
            messages.start()
            self._process = process
            assert process.stdout is not None
            for line in process.stdout:
                if (event := from_line(line)) is not None:
                    self._append(event)
                    self._first.set()
            messages.join()
            with suppress(OSError):  # what stdin still holds
                process.stdin.close() if process.stdin else None
        return process.returncode, " ".join(said)

    def _append(self, event: Event) -> None:
        self._writer.append(event)
        self._step = event.step
        if not isinstance(event, AlarmRaised) or event.kind != "connection":
            self._after = max(self._after, event.time)
        if isinstance(event, RunStarted | RunFinished):
            self._ended = isinstance(event, RunFinished)

    def _pass_on(self) -> None:
        """Send the requests that are left in the copy's `control` directory."""
        while not self._closed.wait(_FIRST_SECONDS):
            for request in self._mailbox.take():
                process = self._process
                if process is not None and process.stdin is not None:
                    with suppress(OSError, ValueError):  # the connection is lost
                        process.stdin.write(request_to_line(request))
                        process.stdin.flush()


def _last_line(stream: IO[bytes], said: list[str]) -> None:
    for line in stream:
        if words := line.decode("utf-8", "replace").strip():
            said[:] = [words.removeprefix("charrnn-tui: ")]


def _as_name(words: str) -> str:
    return re.sub(r"[^\w.-]+", "-", words).strip("-._")[:80] or "run"


def fetch_checkpoint(copy: RunDirectory) -> None:
    """Bring the run's best checkpoint, or its last one, into its copy. Raises RunError, one line."""
    try:
        where = read_json(copy.remote_file.read_bytes())
        host, run = str(where["host"]), str(where["run"])
    except (OSError, DecodingError, KeyError, TypeError):
        raise RunError(f"{copy.path}: does not say where its run is; watch it again") from None
    facts = _output(host, there(host, "watch", run, "--once", "--json"))
    try:
        file = read_json(facts)["checkpoint"]
    except (DecodingError, KeyError, TypeError):
        raise RunError(f"{host}: {run}: the answer could not be read; is it the same version of charrnn-tui?") from None
    if not isinstance(file, str):
        raise RunError(f"{host}: {run}: has saved no checkpoint yet")
    ssh = there(host)[:-1]
    write_atomically(copy.best_file, _output(host, [*ssh, f"cat -- {shlex.quote(file)}"]))


def _output(host: str, command: Sequence[str]) -> bytes:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise RunError(f"{command[0]}: {error.strerror or error}") from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RunError(f"{host}: {lines[-1] if lines else f'ended with code {done.returncode}'}")
    return done.stdout
