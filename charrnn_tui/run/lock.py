"""One trainer at a time: a file lock that the system releases when its holder exits.

Some network file systems have no locks. There a second file beside the first one stands for the lock; it stays when its
holder is killed.
"""

import errno
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

TryLock = Callable[[IO[str], bool], None]

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str], shared: bool) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(file: IO[str], shared: bool) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


_UNSUPPORTED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
_HELD = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


class RunLocked(RuntimeError):
    """Another process trains this run."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"is being trained already, by process {holder}")


class RunLock:
    """An exclusive lock on a file that names its holder; ends with `release` or, where there are locks, with it."""

    def __init__(self, path: Path, try_lock: TryLock = _try_lock) -> None:
        """Take the lock. Raises RunLocked, OSError. try_lock: locks a file, shared or not; raises OSError."""
        self._marker: Path | None = None
        self._file = path.open("a+", errors="replace")
        try:
            self._lock(path, try_lock)
            self._file.truncate(0)
            self._file.write(_own_name())
            self._file.flush()
        except BaseException:
            self.release()
            raise

    def _lock(self, path: Path, try_lock: TryLock, tries: int = 5) -> None:
        """Several tries, since `lock_holder` takes the lock for a moment too."""
        try:
            try_lock(self._file, False)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                self._create_marker(_marker_of(path))
            elif error.errno not in _HELD:
                raise
            elif tries > 1:
                time.sleep(0.02)
                self._lock(path, try_lock, tries - 1)
            else:
                self._file.seek(0)
                raise RunLocked(_named(self._file.read())) from None

    def _create_marker(self, marker: Path) -> None:
        try:
            with marker.open("x") as file:
                file.write(_own_name())
        except FileExistsError:
            name = marker.read_text(errors="replace")
            if _is_alive(name):
                raise RunLocked(_named(name)) from None
            left = f"locked by process {_named(name)}, which has exited; its file system has no locks; delete {marker}"
            raise OSError(errno.EEXIST, left) from None
        self._marker = marker

    def release(self) -> None:
        """Release the lock; may be called twice."""
        if self._marker is not None:
            self._marker.unlink(missing_ok=True)
            self._marker = None
        self._file.close()


def lock_holder(path: Path, try_lock: TryLock = _try_lock) -> str | None:
    """The process that holds the lock, by its id, and its machine if that is another one; or None."""
    try:
        with path.open("r", errors="replace") as file:  # opened for reading: other people's runs can be watched
            try:
                try_lock(file, True)  # shared: two processes asking at once do not see each other
                return None
            except OSError as error:
                if error.errno in _HELD:
                    return _named(file.read())
        name = _marker_of(path).read_text(errors="replace")
        return _named(name) if _is_alive(name) else None
    except OSError:  # there is none, or another user's run that may not be read
        return None


def held_here(path: Path) -> bool:
    """Whether the process that holds or held the lock is one of this machine."""
    try:
        return path.read_text(errors="replace").partition(" ")[2] == platform.node()
    except OSError:
        return False


def _marker_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.held")


def _own_name() -> str:
    return f"{os.getpid()} {platform.node()}"


def _named(name: str) -> str:
    pid, _, host = name.strip().partition(" ")
    return f"{pid} on {host}" if host not in ("", platform.node()) else pid or "unknown"


def _is_alive(name: str) -> bool:
    """Whether a process may still run: one of another machine may."""
    pid, _, host = name.partition(" ")
    if host != platform.node() or not pid.isdecimal() or os.name != "posix":
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError, ValueError):  # no process has a number of that length
        return False
    except PermissionError:  # another user's
        return True
    return True
