"""One trainer at a time: a lock that the system takes back when its holder dies."""

import os
import sys
import time
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str], shared: bool = False) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(file: IO[str], shared: bool = False) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _lock(file: IO[str], tries: int = 5) -> None:
    """Take the lock; more than one try, since whoever asks for the holder takes it too, for a moment."""
    for _ in range(tries - 1):
        try:
            return _try_lock(file)
        except OSError:
            time.sleep(0.02)
    return _try_lock(file)


class RunLocked(RuntimeError):
    """Somebody trains this run already; `pid` is theirs, where known."""

    def __init__(self, pid: str) -> None:
        self.pid = pid
        super().__init__(f"is being trained already, by process {pid or 'unknown'}")


class RunLock:
    """An exclusive lock on a file that holds the pid of its holder; freed by `release` or by the process's end."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises RunLocked."""
        self._file = path.open("a+")
        try:
            _lock(self._file)
        except OSError:
            self._file.seek(0)
            pid = self._file.read().strip()
            self._file.close()
            raise RunLocked(pid) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let the next trainer in; twice is once."""
        self._file.close()


def lock_holder(path: Path) -> str | None:
    """The pid of the process that holds the lock, or None where nobody does."""
    if not path.exists():
        return None
    try:
        with path.open("r") as file:  # reading is enough: other people's runs can be watched
            try:
                _try_lock(file, shared=True)  # two who ask at once must not take each other for the trainer
            except OSError:
                file.seek(0)
                return file.read().strip() or "unknown"
    except OSError:  # not ours to open: somebody else's run, whose trainer we cannot know
        return None
    return None
