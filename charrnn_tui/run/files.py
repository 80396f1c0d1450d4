"""Files written atomically, and their hashes."""

import os
from contextlib import suppress
from pathlib import Path

_PIECE = 16_000_000


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Write a temporary file, fsync, rename it: a reader sees the old file or the new one, never a part of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            for begin in range(0, len(data), _PIECE):  # Ctrl-C acts between two pieces
                file.write(data[begin : begin + _PIECE])
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def link_atomically(existing: Path, path: Path) -> bool:
    """Make `path` another name of an existing file, at no cost of space; False where the file system cannot.

    Files that are replaced, never written into, stay independent.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        os.link(existing, beside)
        beside.replace(path)
    except OSError:
        return False
    finally:
        beside.unlink(missing_ok=True)  # it stays where both were one file already
    return True


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises OSError."""
    import hashlib  # loads OpenSSL, which `--help` and the first screen do not need

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":  # elsewhere a directory cannot be opened and synced
        return
    with suppress(OSError):  # some network disks cannot sync a directory; the file is in place
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
