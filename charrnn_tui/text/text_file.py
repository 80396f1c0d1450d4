"""A text file, decoded piece by piece in constant memory: strict, newlines universal, byte-order mark dropped."""

import codecs
import hashlib
import io
import os
import stat
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

BINARY_PROBE_BYTES = 8192  # a NUL among the first bytes is how file(1) and git tell binary from text
PIECE_BYTES = 1 << 16  # more than the probe, and little enough for the processor's cache
_ALTERNATIVES = ("utf-16", "utf-32", "cp1251", "cp1252", "latin-1")  # tried in this order; the last one fits any bytes
_WITH_NULS = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")  # text in these has NUL bytes, and needs no mark


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
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None

    @property
    def size(self) -> int:
        """The file's size in bytes."""
        return self._begun.st_size if self._data is None else len(self._data)

    def changed(self) -> bool:
        """Whether the file's size or modification time is another than when this object was made."""
        try:
            now = Path(self.path).stat()
        except OSError:
            return True
        before = self._begun
        return self._data is None and (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes, `piece_bytes` at a time."""
        try:
            with open(self.path, "rb", buffering=0) if self._data is None else io.BytesIO(self._data) as file:
                while piece := file.read(self.piece_bytes):
                    yield piece
        except OSError as error:
            raise _unreadable(self.path, error) from None

    def texts(self) -> Iterator[str]:
        """The text, piece by piece; CRLF and CR are read as newline, a leading byte-order mark is dropped.

        Raises CorpusError that names the byte offset and an encoding to try, or says that the file is binary.
        """
        decoder = io.IncrementalNewlineDecoder(self._decoder(), translate=True)
        begun, offset = False, 0
        for piece in chain(self.pieces(), [b""]):  # the empty piece ends the text
            offset += len(piece)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeError as error:
                raise CorpusError(self._undecodable(error, offset)) from None
            if text and not begun:
                begun = True
                self._refuse_binary(text)
                text = text.removeprefix("\ufeff")
            if text:
                yield text

    def _decoder(self) -> codecs.IncrementalDecoder:
        try:
            " ".encode(self.encoding)  # refuses those that are not of text, such as hex
            return codecs.getincrementaldecoder(self.encoding)("strict")
        except (LookupError, ValueError):  # ValueError: a NUL in the name
            raise CorpusError(
                f"--encoding {self.encoding!r}: no such encoding; common ones are utf-8, {', '.join(_ALTERNATIVES)}"
            ) from None

    def _head(self) -> bytes:
        return next(self.pieces(), b"")[:BINARY_PROBE_BYTES]

    def _refuse_binary(self, text: str) -> None:
        place = text[:BINARY_PROBE_BYTES].find("\0")
        if place >= 0:
            raise CorpusError(
                f"{self.path}: looks like a binary file (a NUL character at position {place}); give a plain text file"
                + _hint(self._head(), _WITH_NULS)
            )

    def _undecodable(self, error: UnicodeError, read: int) -> str:
        """The error's message; read: bytes given to the decoder so far, those in `error` included."""
        path, head = self.path, self._head()
        with_mark = head.startswith((b"\xff\xfe", b"\xfe\xff"))
        if b"\0" in head and not with_mark:
            offset = head.index(b"\0")
            words = f"looks like a binary file (a NUL byte at offset {offset}); give a plain text file"
            return f"{path}: {words}" + _hint(head, _WITH_NULS, self.encoding)
        if not isinstance(error, UnicodeDecodeError):
            return f"{path}: is not {self.encoding}: {error}"
        offset = read - len(error.object) + error.start  # error.object: bytes the decoder had kept, then the piece
        ended = error.start >= len(error.object)
        what = f"it ends at offset {offset}" if ended else f"byte 0x{error.object[error.start]:02x} at offset {offset}"
        if self._is_utf8():  # text in another encoding is hardly ever valid UTF-8
            return f"{path}: is not {self.encoding}: {what}; try --encoding utf-8"
        return f"{path}: is not {self.encoding}: {what}" + _hint(
            head, _ALTERNATIVES if with_mark else _ALTERNATIVES[2:], self.encoding
        )

    def _is_utf8(self) -> bool:
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        try:
            for piece in self.pieces():
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True


def _all_of(pipe: str | Path) -> bytes:
    """All bytes of a pipe, a terminal or an empty device. Raises CorpusError for other devices: they never end."""
    with open(pipe, "rb") as file:
        if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode) or file.isatty() or not file.peek(1):
            return file.read()
    raise CorpusError(f"{pipe}: is a device; give a file of plain text")


def sha256_of(files: Sequence[TextFile]) -> str:
    """The SHA-256 of the files' bytes, one after the other, as `cat FILES | sha256sum` prints it."""
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
            return CorpusError(f"{path}: is a directory; name the text files in it, for example {path}/*.txt")
        case OSError():
            return CorpusError(f"{path}: cannot be read: {error.strerror or error}")
    return CorpusError(f"{str(path)!r}: is not a path: {error}")  # a NUL in it


def _hint(head: bytes, encodings: Sequence[str], tried: str = "") -> str:
    """A clause that suggests up to three encodings under which the bytes look like text; "" if none does."""
    fitting = [name for name in encodings if name != tried and _is_text(head, name)]
    return "; try --encoding " + " or ".join(fitting[:3]) if fitting else ""


def _is_text(data: bytes, encoding: str) -> bool:
    try:
        text = data[: len(data) // 4 * 4].decode(encoding)
    except UnicodeError:
        return False
    if encoding in _WITH_NULS and not set(" \n\u3000") & set(text):
        return False  # most pairs of bytes are letters of some script, few are white space
    odd = sum(not (char.isprintable() or char in "\t\n\r\f\ufeff") for char in text)
    return odd <= len(text) // 100
