"""One trainer at a time: a file lock that the system releases when its holder exits."""

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
    """Take the lock; several tries, since `lock_holder` takes it for a moment too."""
    for _ in range(tries - 1):
        try:
            return _try_lock(file)
        except OSError:
            time.sleep(0.02)
    return _try_lock(file)


class RunLocked(RuntimeError):
    """Another process trains this run; `pid` is its id, or empty."""

    def __init__(self, pid: str) -> None:
        self.pid = pid
        super().__init__(f"is being trained already, by process {pid or 'unknown'}")


class RunLock:
    """An exclusive lock on a file that contains its holder's pid; ends with `release` or with the process."""

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
        """Release the lock; may be called twice."""
        self._file.close()


def lock_holder(path: Path) -> str | None:
    """The pid of the process that holds the lock, or None."""
    if not path.exists():
        return None
    try:
        with path.open("r") as file:  # opened for reading: other people's runs can be watched
            try:
                _try_lock(file, shared=True)  # shared: two processes asking at once do not see each other
            except OSError:
                file.seek(0)
                return file.read().strip() or "unknown"
    except OSError:  # not readable: another user's run
        return None
    return None
