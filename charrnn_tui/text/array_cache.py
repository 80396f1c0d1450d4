"""Long texts as arrays in files that are mapped into memory: encoded once, and indexed once.

An array has two files: NAME.array, its values as they are in memory, and NAME.json, its description with a checksum.
The second is written last; without it the first is ignored. NAME is a hash of the key, which says what was computed of
which text.
"""

import hashlib
import json
import os
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from charrnn_tui.run.decoding import decode
from charrnn_tui.run.files import write_atomically
from charrnn_tui.text.long_text import map_array
from charrnn_tui.text.text_file import CorpusError

Array = NDArray[np.integer]

TEXTS = ".texts"  # the directory, beside the runs
FORMAT = 2
LIMIT_BYTES = 16 << 30  # of all arrays together; above it the least recently used ones are dropped

_CHECK_BYTES = 1 << 22
_ABANDONED_SECONDS = 3600  # without a write, after which a partial file is taken for that of a killed process


class _Facts(msgspec.Struct):
    """The description of an array, in JSON. dtype: NumPy's name. note: of whoever stored it."""

    format: int
    key: str
    dtype: str
    crc32: int
    note: str


class ArrayCache:
    """A directory of one-dimensional arrays of integers, created with the first one."""

    def __init__(self, directory: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.directory, self.limit_bytes = directory, limit_bytes

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(found.st_size for _, found in self._files())

    def find(self, key: str) -> tuple[Array, str] | None:
        """The array, read-only, and its note; None if they are missing, damaged, or of another version."""
        data, about = self._paths(key)
        try:
            facts = decode(about.read_bytes(), _Facts)
            if facts.format != FORMAT or facts.key != key or _checksum(data) != facts.crc32:
                return None
            found: Array = map_array(data, np.dtype(facts.dtype))
            data.touch()  # marks it as used now
        except (OSError, ValueError, TypeError):  # TypeError: no such dtype
            return None
        return found, facts.note

    def put(self, key: str, dtype: np.dtype[np.integer], pieces: Iterable[Array], note: str = "") -> Array:
        """Write the pieces, one after the other, and map them as one array. Raises CorpusError if it cannot."""
        data, about = self._paths(key)
        beside = data.with_name(f".{data.name}.{os.getpid()}.part")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            about.unlink(missing_ok=True)
            checksum = 0
            with beside.open("wb") as file:
                for piece in pieces:
                    file.write(piece.data)
                    checksum = zlib.crc32(piece.data, checksum)
            beside.replace(data)
            facts = _Facts(FORMAT, key, dtype.str, checksum, note)
            write_atomically(about, json.dumps(msgspec.to_builtins(facts)).encode())
            self._drop_old(keep=data)
            return map_array(data, dtype)
        except OSError as error:
            raise CorpusError(
                f"{self.directory}: the encoded text cannot be kept there: {error.strerror or error}; "
                "make room, or name another place with --runs-dir"
            ) from None
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def clear(self) -> int:
        """Remove all arrays; returns the bytes freed. A training that has mapped one keeps reading it."""
        freed = self.size
        for path, _ in self._files():
            path.unlink(missing_ok=True)
        return freed

    def _drop_old(self, keep: Path) -> None:
        files = self._files()
        for path, found in files:
            if path.suffix == ".part" and found.st_mtime < time.time() - _ABANDONED_SECONDS:
                path.unlink(missing_ok=True)
        kept = 0
        arrays = [file for file in files if file[0].suffix not in (".json", ".part")]  # of earlier versions, too
        for data, found in sorted(arrays, key=lambda file: file[1].st_mtime, reverse=True):
            kept += found.st_size
            if kept > self.limit_bytes and data != keep:
                data.with_suffix(".json").unlink(missing_ok=True)
                data.unlink(missing_ok=True)

    def _paths(self, key: str) -> tuple[Path, Path]:
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return self.directory / f"{name}.array", self.directory / f"{name}.json"

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        files = []
        for path in self.directory.glob("*"):
            with suppress(OSError):  # another process has removed it
                files.append((path, path.stat()))
        return files


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:  # not mapped: its pages would count as this process's memory
        while piece := file.read(_CHECK_BYTES):
            checksum = zlib.crc32(piece, checksum)
    return checksum
