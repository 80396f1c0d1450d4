"""The ids of long texts, kept in files that are mapped into memory: a text of gigabytes is encoded once.

Of a text there are two files: NAME.ids, the ids as they are in memory, and NAME.json, what they are, with a checksum;
it is written last, so that without it there is nothing. NAME is a hash of the key: the text's SHA-256 and encoding.
"""

import hashlib
import json
import os
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from charrnn_tui.run.files import write_atomically
from charrnn_tui.text.long_text import map_ids
from charrnn_tui.text.text_file import CorpusError
from charrnn_tui.text.vocabulary import Ids, Vocabulary

TEXTS = ".texts"  # the directory, beside the runs
FORMAT = 1
LIMIT_BYTES = 16 << 30  # of all texts together; above it the least recently used ones go

_CHECK_BYTES = 1 << 22
_ABANDONED_SECONDS = 3600  # after which a part that nobody writes to is one of a process that was killed


class IdsCache:
    """A directory of encoded texts; made when there is something to put into it."""

    def __init__(self, directory: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.directory, self.limit_bytes = directory, limit_bytes

    @property
    def size(self) -> int:
        """What it takes on the disk, in bytes."""
        return sum(_size(path) for path in self._files())

    def find(self, key: str) -> tuple[Ids, Vocabulary] | None:
        """The ids and their alphabet; None where they are not there, damaged, or of another version."""
        ids_file, about = self._paths(key)
        try:
            facts = json.loads(about.read_text(encoding="utf-8"))
            vocabulary = Vocabulary(facts["tokens"])
            if facts["format"] != FORMAT or facts["key"] != key or facts["itemsize"] != vocabulary.dtype.itemsize:
                return None
            if _checksum(ids_file) != facts["crc32"]:
                return None
            ids = map_ids(ids_file, vocabulary.dtype)
            about.touch()  # what was used last goes last
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return ids, vocabulary

    def put(self, key: str, vocabulary: Vocabulary, pieces: Iterable[Ids]) -> Ids:
        """Write the pieces, one after the other, and give them back as one. Raises CorpusError where it cannot."""
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
            facts = {"format": FORMAT, "key": key, "itemsize": vocabulary.dtype.itemsize, "crc32": checksum}
            write_atomically(about, json.dumps(facts | {"tokens": "".join(vocabulary.tokens)}).encode())
            self._drop_old(keep=ids_file.stem)
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
        """Remove all of it; gives the bytes that were freed. A training that reads a text from it is not disturbed."""
        freed = self.size
        for path in self._files():
            path.unlink(missing_ok=True)
        return freed

    def _drop_old(self, keep: str) -> None:
        for part in self.directory.glob(".*.part"):
            if _used(part) < time.time() - _ABANDONED_SECONDS:
                part.unlink(missing_ok=True)
        abouts = sorted((path for path in self._files() if path.suffix == ".json"), key=_used, reverse=True)
        kept = 0
        for about in abouts:
            ids_file = about.with_suffix(".ids")
            kept += _size(ids_file)
            if kept > self.limit_bytes and about.stem != keep:
                about.unlink(missing_ok=True)
                ids_file.unlink(missing_ok=True)

    def _paths(self, key: str) -> tuple[Path, Path]:
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return self.directory / f"{name}.ids", self.directory / f"{name}.json"

    def _files(self) -> list[Path]:
        return [path for path in self.directory.iterdir() if path.is_file()] if self.directory.is_dir() else []


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:  # not through the map: its pages would count as this process's memory
        while piece := file.read(_CHECK_BYTES):
            checksum = zlib.crc32(piece, checksum)
    return checksum


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone meanwhile: another process cleans up as well
        return 0


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
