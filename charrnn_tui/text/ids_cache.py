"""The ids of long texts in files that are mapped into memory: a text of gigabytes is encoded once.

A text has two files: NAME.ids, the ids as they are in memory, and NAME.json, their description with a checksum. The
second is written last; without it the first is ignored. NAME is a hash of the key: the text's SHA-256 and encoding.
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

from charrnn_tui.run.decoding import decode
from charrnn_tui.run.files import write_atomically
from charrnn_tui.text.long_text import map_ids
from charrnn_tui.text.text_file import CorpusError
from charrnn_tui.text.vocabulary import Ids, Vocabulary

TEXTS = ".texts"  # the directory, beside the runs
FORMAT = 1
LIMIT_BYTES = 16 << 30  # of all texts together; above it the least recently used ones are dropped

_CHECK_BYTES = 1 << 22
_ABANDONED_SECONDS = 3600  # without a write, after which a partial file is taken for that of a killed process


class _Facts(msgspec.Struct):
    """The description of a text, in JSON. itemsize: bytes of an id."""

    format: int
    key: str
    itemsize: int
    crc32: int
    tokens: str


class IdsCache:
    """A directory of encoded texts, created with the first one."""

    def __init__(self, directory: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.directory, self.limit_bytes = directory, limit_bytes

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(found.st_size for _, found in self._files())

    def find(self, key: str) -> tuple[Ids, Vocabulary] | None:
        """The ids and their vocabulary; None if they are missing, damaged, or of another version."""
        ids_file, about = self._paths(key)
        try:
            facts = decode(about.read_bytes(), _Facts)
            vocabulary = Vocabulary(facts.tokens)
            if facts.format != FORMAT or facts.key != key or facts.itemsize != vocabulary.dtype.itemsize:
                return None
            if _checksum(ids_file) != facts.crc32:
                return None
            ids = map_ids(ids_file, vocabulary.dtype)
            ids_file.touch()  # marks it as used now
        except (OSError, ValueError):
            return None
        return ids, vocabulary

    def put(self, key: str, vocabulary: Vocabulary, pieces: Iterable[Ids]) -> Ids:
        """Write the pieces, one after the other, and map them as one array. Raises CorpusError if it cannot."""
        ids_file, about = self._paths(key)
        beside = ids_file.with_name(f".{ids_file.name}.{os.getpid()}.part")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            about.unlink(missing_ok=True)
            checksum = 0
            with beside.open("wb") as file:
                for piece in pieces:
                    file.write(piece.data)
                    checksum = zlib.crc32(piece.data, checksum)
            beside.replace(ids_file)
            facts = _Facts(FORMAT, key, vocabulary.dtype.itemsize, checksum, "".join(vocabulary.tokens))
            write_atomically(about, json.dumps(msgspec.to_builtins(facts)).encode())
            self._drop_old(keep=ids_file)
            return map_ids(ids_file, vocabulary.dtype)
        except OSError as error:
            raise CorpusError(
                f"{self.directory}: the encoded text cannot be kept there: {error.strerror or error}; "
                "make room, or name another place with --runs-dir"
            ) from None
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def clear(self) -> int:
        """Remove all texts; returns the bytes freed. A training that has mapped one keeps reading it."""
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
        texts = [file for file in files if file[0].suffix == ".ids"]
        for ids_file, found in sorted(texts, key=lambda file: file[1].st_mtime, reverse=True):
            kept += found.st_size
            if kept > self.limit_bytes and ids_file != keep:
                ids_file.with_suffix(".json").unlink(missing_ok=True)
                ids_file.unlink(missing_ok=True)

    def _paths(self, key: str) -> tuple[Path, Path]:
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return self.directory / f"{name}.ids", self.directory / f"{name}.json"

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
