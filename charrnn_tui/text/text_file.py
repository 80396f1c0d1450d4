"""A text file, decoded piece by piece in constant memory: strict, newlines universal, byte-order mark dropped."""

import codecs
import hashlib
import io
import os
import stat
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from charrnn_tui.text.byte_text import BYTES
from charrnn_tui.text.compression import Damaged, unpacked
from charrnn_tui.text.encodings import COMMON_ENCODINGS, is_text_encoding, likely_encodings

BINARY_PROBE_BYTES = 8192  # a NUL among the first bytes is how file(1) and git tell binary from text
PIECE_BYTES = 1 << 16  # more than the probe, and little enough for the processor's cache


class CorpusError(ValueError):
    """A text cannot be read; the message is one line: which file, where, what to do."""


class TextFile:
    """A file of text that can be read any number of times; a pipe is read once and its bytes are kept in memory.

    Every method raises CorpusError where the file cannot be read.
    """

    def __init__(self, path: str | Path, encoding: str = "utf-8", piece_bytes: int = PIECE_BYTES) -> None:
        """Raises CorpusError where there is no such file or no such encoding, or where it is a directory."""
        self.path, self.encoding, self.piece_bytes = path, encoding, piece_bytes
        self._data: bytes | None = None
        try:
            self._begun = Path(path).stat()
            if not stat.S_ISREG(self._begun.st_mode):
                self._data = _all_of(path)
        except CorpusError:
            raise
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None

    @property
    def size(self) -> int:
        """The file's size in bytes, on disk."""
        return self._begun.st_size if self._data is None else len(self._data)

    def changed(self) -> bool:
        """Whether the file's size or modification time is another than when this object was made."""
        try:
            now = Path(self.path).stat()
        except OSError:
            return True
        before = self._begun
        return self._data is None and (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)

    @property
    def binary(self) -> str:
        """A sentence if the beginning looks like that of a binary file, as `texts` would say it; else ""."""
        if self.encoding == BYTES:
            return ""
        head = self._head()
        if b"\0" not in head or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return ""
        if self.encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
            return ""
        return f"{self.path}: looks like a binary file (a NUL byte at offset {head.index(0)})"

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes, unpacked where it is compressed; `piece_bytes` at a time where it is not."""
        try:
            with open(self.path, "rb", buffering=0) if self._data is None else io.BytesIO(self._data) as file:
                yield from unpacked(file, self.piece_bytes)
        except OSError as error:
            raise _unreadable(self.path, error) from None
        except Damaged as error:
            raise CorpusError(f"{self.path}: {error}") from None

    def texts(self) -> Iterator[str]:
        """The text, piece by piece; CRLF and CR are read as newline, a leading byte-order mark is dropped.

        As bytes the file is read as it is. Raises CorpusError that names the byte offset and an encoding to try, or
        says that the file is binary.
        """
        if self.encoding == BYTES:
            yield from (piece.decode("ascii", "surrogateescape") for piece in self.pieces())
            return
        decoder = io.IncrementalNewlineDecoder(self._decoder(), translate=True)
        begun, offset = False, 0
        for piece in chain(self.pieces(), [b""]):  # the empty piece ends the text
            offset += len(piece)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeError as error:
                raise CorpusError(f"{self.path}: {self._undecodable(error, offset, ended=not piece)}") from None
            if text and not begun:
                begun = True
                self._refuse_binary(text)
                text = text.removeprefix("\ufeff")
            if text:
                yield text

    def _decoder(self) -> codecs.IncrementalDecoder:
        if not is_text_encoding(self.encoding):
            raise CorpusError(f"--encoding {self.encoding!r}: no such encoding; common ones are {COMMON_ENCODINGS}")
        return codecs.getincrementaldecoder(self.encoding)("strict")

    def _head(self) -> bytes:
        return next(self.pieces(), b"")[:BINARY_PROBE_BYTES]

    def _refuse_binary(self, text: str) -> None:
        place = text[:BINARY_PROBE_BYTES].find("\0")
        if place >= 0:
            raise CorpusError(
                f"{self.path}: looks like a binary file (a NUL character at position {place}); give a plain text file"
                + self._hint()
            )

    def _undecodable(self, error: UnicodeError, read: int, ended: bool) -> str:
        """Why the text is not read. read: bytes given to the decoder so far; ended: whether these were all."""
        for _ in self.pieces():
            pass  # raises CorpusError for a damaged compressed file, whose bytes may be in no encoding
        head = self._head()
        if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            what = f"looks like a binary file (a NUL byte at offset {head.index(0)}); give a plain text file"
            return what + self._hint()
        what = f"is not {self.encoding}: "
        if not isinstance(error, UnicodeDecodeError):
            return what + str(error)
        offset = read - len(error.object) + error.start  # error.object: bytes the decoder had kept, then the piece
        left = error.object[error.start :]
        what += f"byte 0x{left[0]:02x} at offset {offset}" if left else f"it ends at offset {offset}"
        if self._is_utf8():  # text in another encoding is hardly ever valid UTF-8
            return f"{what}; try --encoding utf-8"
        if not ended:
            return what + self._hint()
        what += "; the file is cut off there, within a character: get all of it, or remove what follows this offset"
        # A single byte after nothing but ASCII may as well be a letter of another encoding.
        return what + self._hint() if len(left) == 1 and head[:offset].isascii() else what

    def _hint(self) -> str:
        """A clause that names encodings to try; "" if the file does not look like text in any."""
        names = [name for name in likely_encodings(self._head()) if name != self.encoding]
        return "; try --encoding " + " or ".join(names) if names else ""

    def _is_utf8(self) -> bool:
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        try:
            for piece in self.pieces():
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True


def refuse_pipe(path: str | Path) -> None:
    """Raise CorpusError for a pipe or a device: it may never end, and can be read only once."""
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise CorpusError(f"{path}: is a pipe or a device, not a file; charrnn-tui train and sample can read it")


def _all_of(pipe: str | Path) -> bytes:
    """All bytes of a pipe, a terminal or an empty device. Raises CorpusError for other devices: they never end."""
    with open(pipe, "rb") as file:
        if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode) or file.isatty() or not file.peek(1):
            return file.read()
    raise CorpusError(f"{pipe}: is a device; give a file of plain text")


def sha256_of(files: Sequence[TextFile]) -> str:
    """The SHA-256 of the files' bytes, one after the other, as `cat FILES | sha256sum` prints it; unpacked ones."""
    digest = hashlib.sha256()
    for file in files:
        for piece in file.pieces():
            digest.update(piece)
    return digest.hexdigest()


def _unreadable(path: str | Path, error: Exception) -> CorpusError:
    match error:
        case FileNotFoundError() if str(path) == "-":
            return CorpusError("-: no such file; for standard input name /dev/stdin")
        case FileNotFoundError():
            return CorpusError(f"{path}: no such file")
        case IsADirectoryError():
            return CorpusError(f"{path}: is a directory, not a file of text")
        case OSError():
            return CorpusError(f"{path}: cannot be read: {error.strerror or error}")
    return CorpusError(f"{str(path)!r}: is not a path: {error}")  # a NUL in it
