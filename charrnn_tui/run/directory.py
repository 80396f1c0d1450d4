"""A run on disk: its files, its lock, and appending its events."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import IO

from charrnn_tui.run.decoding import DecodingError, read_json
from charrnn_tui.run.events import Event, to_line
from charrnn_tui.run.files import write_atomically
from charrnn_tui.run.lock import RunLock, held_here, lock_holder
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.settings import SettingsError, StoredRequest, read_request

_NAME = re.compile(r"[^\W_][\w.-]{0,99}")


class RunError(ValueError):
    """A run cannot be created, found or changed; the message is one line."""


class RunDirectory:
    """A directory that holds one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings_file = path / "settings.json"  # what was asked for: `StoredRequest`
        self.events_file = path / "events.jsonl"  # one JSON object a line, append-only
        self.best_file = path / "best.safetensors"  # the checkpoint with the least validation loss
        self.last_file = path / "last.safetensors"  # the newest checkpoint
        self.resume_file = path / "resume.pt"  # from which the training continues exactly
        self.ngrams_file = path / "ngrams.json"  # losses of n-gram models of its text, once they were asked for
        self.log_file = path / "log.txt"  # warnings and tracebacks
        self.remote_file = path / "remote.json"  # of the copy of a run on another machine: where that is

    @classmethod
    def create(cls, runs: Path, corpus: str, name: str | None = None) -> "RunDirectory":
        """Create a run; without a name it is named after its text and a counter.

        Raises RunError, and SettingsError for a name that is invalid or taken.
        """
        try:
            runs.mkdir(parents=True, exist_ok=True)
            if name is not None:
                return cls(_make_named(runs, name))
            stem = re.sub(r"[^\w.-]+", "-", corpus).strip("-._")[:80] or "text"
            number = 1 + max((_number(path.name, stem) for path in runs.iterdir()), default=0)
            while True:
                path = runs / f"{stem}-{number}"
                try:
                    path.mkdir()
                except FileExistsError:  # another process has just taken the number
                    number += 1
                else:
                    return cls(path)
        except OSError as error:
            raise RunError(f"{runs}: no run can be made there: {error.strerror or error}") from None

    @property
    def name(self) -> str:
        """The run's name: that of its directory."""
        return self.path.name

    def checkpoint_file(self) -> Path | None:
        """The best checkpoint, else the last, else None. That of a run on another machine is fetched when opened."""
        if self.remote_file.exists():
            return self.best_file
        return next((file for file in (self.best_file, self.last_file) if file.exists()), None)

    def write_settings(self, values: StoredRequest) -> None:
        """Write settings.json."""
        text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
        write_atomically(self.settings_file, text.encode("utf-8", "backslashreplace"))  # a path need not be UTF-8

    def read_settings(self) -> StoredRequest:
        """The contents of settings.json, as far as they can be read."""
        try:
            return read_request(read_json(self.settings_file.read_bytes()))
        except (OSError, DecodingError):
            return {}

    def lock(self) -> RunLock:
        """Take the lock that its trainer holds. Raises RunLocked."""
        return RunLock(self.path / "lock")

    def trainer(self) -> str | None:
        """The pid of the process that is training it, or None."""
        return lock_holder(self.path / "lock")

    @property
    def never_started(self) -> bool:
        """Whether its process, one of this machine, has exited before the first step: there is nothing to resume."""
        saved = self.resume_file.exists() or self.checkpoint_file() is not None
        exited = not saved and held_here(self.path / "lock") and self.trainer() is None
        return exited and self.progress().step == 0

    def delete(self) -> None:
        """Remove the run with all its files. Raises RunError if it is being trained, or the system refuses."""
        pid = self.trainer()
        if pid is not None:
            raise RunError(f"{self.name}: is being trained by process {pid}; stop that first")
        try:
            shutil.rmtree(self.path)
        except OSError as error:
            raise RunError(f"{self.name}: cannot be deleted: {error.strerror or error}") from None

    def progress(self) -> RunProgress:
        """All its events, folded; a run that has not ended and has no trainer is `interrupted`."""
        from charrnn_tui.run.follower import RunFollower  # which follows directories

        follower = RunFollower(self)
        follower.poll()
        return follower.progress


class EventWriter:
    """Appends events to a file, each line in one write, so that a kill can tear only the last line.

    A full disk must not end a training: unwritten bytes stay in memory, `error` is set, and the next event tries again.
    """

    def __init__(self, path: Path) -> None:
        self.error: OSError | None = None
        self._file: IO[bytes] = path.open("a+b", buffering=0)
        self._waiting = bytearray()
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":  # an earlier trainer was killed while it wrote a line
                self._file.write(b"\n")

    def append(self, event: Event) -> None:
        """Write one event; `sync` makes it durable."""
        self._waiting += to_line(event).encode("utf-8", "backslashreplace")
        try:
            while self._waiting:  # a disk that fills up may write a part
                del self._waiting[: self._file.write(self._waiting)]
            self.error = None
        except OSError as error:
            self.error = error

    def sync(self) -> None:
        """Wait until the disk has stored what was written."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            self.error = error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def find_run(runs: Path, name_or_path: str) -> RunDirectory | None:
    """The run at this path or of this name, or None."""
    for path in (Path(name_or_path), runs / name_or_path):
        if is_run(path):
            return RunDirectory(path)
    return None


def list_runs(runs: Path) -> list[RunDirectory]:
    """All runs in a directory, the most recently written first."""
    try:
        found = [RunDirectory(path) for path in runs.iterdir() if is_run(path)]
    except OSError:
        return []
    return sorted(found, key=lambda run: _written(run.events_file), reverse=True)


def unreadable_runs(runs: Path) -> dict[str, str]:
    """The owner of each run that this user may not read, by its name."""
    try:
        paths = sorted(path for path in runs.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return {}
    return {path.name: _owner(path) for path in paths if not _may_be_read(path)}


def _may_be_read(path: Path) -> bool:
    if not os.access(path, os.R_OK | os.X_OK):
        return False
    events = path / "events.jsonl"
    return not events.exists() or os.access(events, os.R_OK)


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, OSError, NotImplementedError):  # a user without a name here
        return "another user"


def is_run(path: Path) -> bool:
    """Whether a directory holds a run that may be read."""
    events = path / "events.jsonl"
    try:
        return events.is_file() and os.access(events, os.R_OK)
    except OSError:  # a name too long, or a directory that cannot be read
        return False


def _written(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:  # deleted meanwhile
        return 0.0


def check_name(name: str) -> None:
    """Raise RunError for an invalid run name."""
    if not _NAME.fullmatch(name):
        raise RunError(f"{name!r}: use letters, digits, '.', '_' and '-', beginning with a letter or digit")


def _make_named(runs: Path, name: str) -> Path:
    try:
        check_name(name)
        (runs / name).mkdir()
    except RunError as error:
        raise SettingsError("name", str(error)) from None
    except FileExistsError:
        raise SettingsError("name", f"{name}: there is a run of this name already, in {runs}; choose another") from None
    return runs / name


def _number(name: str, stem: str) -> int:
    """The counter in a run's name; 0 if it has another stem."""
    counter = name.removeprefix(stem + "-")
    return int(counter) if name != counter and counter.isdecimal() else 0
