"""A text file read in pieces: strictly decoded, newlines universal, a byte-order mark dropped, in constant memory."""

import codecs
import hashlib
import io
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from charrnn_tui.text.byte_passes import with_newlines
from charrnn_tui.text.vocabulary import Codes, codes_of

BINARY_PROBE_BYTES = 8192  # a NUL among the first bytes is how file(1) and git tell binary from text
PIECE_BYTES = 1 << 16  # read at once; more than the probe, and little enough that memory is used again for the next
HASHED_BYTES = 1 << 20  # hashed at once: after each the thread waits for its turn among those of Python
SAMPLES, SAMPLE_BYTES = 12, 1 << 11  # what is looked at beforehand of a long file
END_BYTES = 1 << 14  # and of its end, where a book's small print has the odd characters
_AS_ASCII = (
    "utf-8",
    "ascii",
    "iso8859-1",
)  # as the codecs call themselves; ASCII bytes mean ASCII, whatever came before
_ALTERNATIVES = ("utf-16", "utf-32", "cp1251", "cp1252", "latin-1")  # tried in this order; the last one fits any bytes
_OF_NULS = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")  # have NULs in them, and need no mark at their start


class CorpusError(ValueError):
    """A text cannot be read; the message is one line: which file, where, what to do."""


class TextFile:
    """A file of text, which may be read as often as one likes; what is no regular file (a pipe) is kept in memory.

    Every method raises CorpusError where the file cannot be read.
    """

    def __init__(self, path: str | Path, encoding: str = "utf-8") -> None:
        """Raises CorpusError where there is no such file or no such encoding, or where it is a directory."""
        self.path, self.encoding = path, encoding
        self._data: bytes | None = None
        try:
            self._begun = Path(path).stat()
            if not stat.S_ISREG(self._begun.st_mode):
                self._data = _all_of(path)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None

    @property
    def size(self) -> int:
        """In bytes."""
        return self._begun.st_size if self._data is None else len(self._data)

    def changed(self) -> bool:
        """Whether the file is another than when this object was made."""
        try:
            now = Path(self.path).stat()
        except OSError:
            return True
        before = self._begun
        return self._data is None and (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)

    def pieces(self, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
        """The bytes, as they lie there."""
        with self._opened() as file:
            while piece := file.read(piece_bytes):
                yield piece

    def pieces_in(self, buffer: bytearray) -> Iterator[memoryview]:
        """The same in a buffer that is used again: each is good until the next is asked for."""
        room = memoryview(buffer)
        with self._opened() as file:
            while count := file.readinto(room):
                yield room[:count]

    def sample(self) -> bytes:
        """ASCII characters that stand in the text, from all over a long file; empty where bytes are not characters."""
        if self._data is not None or self.size <= PIECE_BYTES or not self._as_ascii():
            return b""
        found = []
        with self._opened() as file:
            for number in range(SAMPLES):
                file.seek((self.size - END_BYTES) * number // SAMPLES)
                found.append(file.read(SAMPLE_BYTES))
            file.seek(self.size - END_BYTES)
            found.append(file.read(END_BYTES))
        return b"".join(found).translate(None, b"\r" + bytes(range(0x80, 0x100)))

    @contextmanager
    def _opened(self) -> Iterator[io.FileIO | io.BytesIO]:
        try:
            with open(self.path, "rb", buffering=0) if self._data is None else io.BytesIO(self._data) as file:
                yield file
        except OSError as error:
            raise _unreadable(self.path, error) from None

    def texts(self) -> Iterator[str]:
        """The text, piece by piece; CRLF and CR are read as newline, a leading byte-order mark is dropped.

        Raises CorpusError that names the byte offset and an encoding to try, or says that the file is binary.
        """
        return (text if isinstance(text, str) else text.decode("ascii") for text in self._read())

    def codes(self) -> Iterator[Codes]:
        """The code points of `texts`."""
        return (text if isinstance(text, bytes) else codes_of(text) for text in self._read())

    def _read(self) -> Iterator[str | bytes]:
        """A piece of ASCII stays bytes: decoding and encoding it would take as long as all the rest."""
        decoder = self._decoder()
        newlines = io.IncrementalNewlineDecoder(decoder, translate=True)
        nothing_kept, as_ascii = newlines.getstate(), self._as_ascii()
        begun, offset = False, 0
        for piece in _with_end(self.pieces()):
            offset += len(piece)
            text: str | bytes
            if as_ascii and piece.isascii() and not piece.endswith(b"\r") and newlines.getstate() == nothing_kept:
                text = with_newlines(piece)
            else:
                try:
                    text = newlines.decode(piece, final=not piece)
                except UnicodeError as error:
                    raise CorpusError(self._undecodable(error, offset)) from None
            if not begun and text:
                begun = True
                self._refuse_binary(text)
                text = text if isinstance(text, bytes) else text.removeprefix("\ufeff")
            if text:
                yield text

    def _as_ascii(self) -> bool:
        try:
            return codecs.lookup(self.encoding).name in _AS_ASCII
        except (LookupError, ValueError):
            return False

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

    def _refuse_binary(self, text: str | bytes) -> None:
        head = text[:BINARY_PROBE_BYTES]
        place = head.find("\0") if isinstance(head, str) else head.find(b"\0")
        if place >= 0:
            raise CorpusError(
                f"{self.path}: looks like a binary file (a NUL character at position {place}); give a plain text file"
                + _hint(self._head(), _OF_NULS)
            )

    def _undecodable(self, error: UnicodeError, read: int) -> str:
        """read: how many bytes the decoder has been given, up to those in `error`."""
        path, head = self.path, self._head()
        with_mark = head.startswith((b"\xff\xfe", b"\xfe\xff"))
        if b"\0" in head and not with_mark:
            offset = head.index(b"\0")
            words = f"looks like a binary file (a NUL byte at offset {offset}); give a plain text file"
            return f"{path}: {words}" + _hint(head, _OF_NULS, self.encoding)
        if not isinstance(error, UnicodeDecodeError):
            return f"{path}: is not {self.encoding}: {error}"
        offset = read - len(error.object) + error.start  # what the decoder had kept stands in front of the piece
        ended = error.start >= len(error.object)
        what = f"it ends at offset {offset}" if ended else f"byte 0x{error.object[error.start]:02x} at offset {offset}"
        if self._is_utf8():  # strict enough that it hardly ever fits by accident
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
    """What comes out of a pipe or a terminal. Devices that give something give it for ever: raises CorpusError."""
    with open(pipe, "rb") as file:
        if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode) or file.isatty() or not file.peek(1):
            return file.read()
    raise CorpusError(f"{pipe}: is a device; give a file of plain text")


def sha256_of(files: Sequence[TextFile]) -> str:
    """Of the files' bytes, one after the other, so that `cat FILES | sha256sum` prints the same."""
    digest, buffer = hashlib.sha256(), bytearray(HASHED_BYTES)
    for file in files:
        for piece in file.pieces_in(buffer):
            digest.update(piece)
    return digest.hexdigest()


def _with_end(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield from pieces
    yield b""


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
    """The first encodings under which the bytes are a text, as a suggestion; nothing where there is none."""
    fitting = [name for name in encodings if name != tried and _is_text(head, name)]
    return "; try --encoding " + " or ".join(fitting[:3]) if fitting else ""


def _is_text(data: bytes, encoding: str) -> bool:
    try:
        text = data[: len(data) // 4 * 4].decode(encoding)
    except UnicodeError:
        return False
    if encoding in _OF_NULS and not set(" \n\u3000") & set(text):
        return False  # pairs of any bytes are letters of some script, but white space they are hardly ever
    odd = sum(not (char.isprintable() or char in "\t\n\r\f\ufeff") for char in text)
    return odd <= len(text) // 100
