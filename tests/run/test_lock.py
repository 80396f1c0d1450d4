"""The lock of a run where the file system has none, and what else can be wrong with it."""

import errno
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from charrnn_tui.run.lock import RunLock, RunLocked, held_here, lock_holder


def no_locks(file: IO[str], shared: bool) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def test_where_the_file_system_has_no_locks_a_file_is_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert lock_holder(path, no_locks) is None
    lock = RunLock(path, no_locks)
    assert lock_holder(path, no_locks) == str(os.getpid())
    with pytest.raises(RunLocked, match=f"by process {os.getpid()}$"):
        RunLock(path, no_locks)
    lock.release()
    lock.release()
    assert lock_holder(path, no_locks) is None
    RunLock(path, no_locks).release()


def test_a_file_that_stood_for_a_lock_says_what_to_do_when_its_process_has_exited(tmp_path: Path) -> None:
    path, marker = tmp_path / "lock", tmp_path / "lock.held"
    with subprocess.Popen([sys.executable, "-c", ""]) as exited:
        exited.wait()
    RunLock(path).release()
    marker.write_text(f"{exited.pid} {platform.node()}")
    assert lock_holder(path, no_locks) is None
    with pytest.raises(OSError, match=f"locked by process {exited.pid}, which has exited; .* delete {marker}"):
        RunLock(path, no_locks)
    marker.write_text(f"{exited.pid} another.host")
    assert lock_holder(path, no_locks) == f"{exited.pid} on another.host"
    with pytest.raises(RunLocked, match=r"on another\.host"):
        RunLock(path, no_locks)


def test_what_else_is_wrong_with_a_lock_is_told_as_it_is(tmp_path: Path) -> None:
    def broken(file: IO[str], shared: bool) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        RunLock(tmp_path / "lock", broken)


def test_a_lock_tells_whether_this_machine_held_it_last(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not held_here(path)
    RunLock(path).release()
    assert held_here(path)
    path.write_text("123 another.host")
    assert not held_here(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe 1", b"9" * 5000, f"{'9' * 5000} {platform.node()}".encode()])
def test_a_damaged_lock_is_read_or_ignored(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(content)
    (tmp_path / "lock.held").write_bytes(content)
    holder = lock_holder(tmp_path / "lock", no_locks)
    assert holder is None or isinstance(holder, str)
    assert held_here(tmp_path / "lock") in (True, False)
    with pytest.raises((RunLocked, OSError)):
        RunLock(tmp_path / "lock", no_locks)
