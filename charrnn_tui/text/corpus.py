"""A text to train on: read from files, normalised, encoded, split."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from charrnn_tui.text.batches import split_at
from charrnn_tui.text.vocabulary import Ids, Vocabulary

BINARY_PROBE_BYTES = 8192  # a NUL among the first bytes is how file(1) and git tell binary from text
_ALTERNATIVES = ("utf-16", "cp1251", "cp1252", "latin-1")  # tried in this order; the last one fits any bytes


class CorpusError(ValueError):
    """A text cannot be read; the message is one line: which file, where, what to do."""


@dataclass(frozen=True)
class Corpus:
    """An encoded text.

    ids: shape (characters,), the vocabulary's dtype. sha256: of the files' bytes, one after the other, so that
    `cat FILES | sha256sum` prints the same.
    """

    name: str
    ids: Ids
    vocabulary: Vocabulary
    sha256: str

    def __len__(self) -> int:
        return len(self.ids)

    def split(self, val_frac: float) -> tuple[Ids, Ids]:
        """Training and validation ids, the first `1 - val_frac` and the rest (notebook cell 30)."""
        boundary = split_at(len(self.ids), val_frac)
        return self.ids[:boundary], self.ids[boundary:]


def load_corpus(paths: Sequence[str | Path], encoding: str = "utf-8") -> Corpus:
    """Read, join and encode text files, in the order given. Raises CorpusError."""
    digest, texts = hashlib.sha256(), []
    for path in paths:
        data = read_bytes(path)
        digest.update(data)
        texts.append(decode_text(data, path, encoding))
    text = "".join(texts)
    if not text:
        raise CorpusError(f"{_listed(paths)}: the file is empty; there is nothing to learn from")
    vocabulary = Vocabulary.of(text)
    return Corpus(corpus_name(paths), vocabulary.encode(text), vocabulary, digest.hexdigest())


def corpus_name(paths: Sequence[str | Path]) -> str:
    """What runs on these files are named after: the first file's stem."""
    return Path(paths[0]).stem or "text"


def read_text(path: str | Path, encoding: str = "utf-8") -> str:
    """The text of one file, newlines universal, byte-order mark dropped. Raises CorpusError."""
    return decode_text(read_bytes(path), path, encoding)


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file. Raises CorpusError where there is none, or where it is a directory."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise CorpusError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise CorpusError(f"{path}: is a directory; name the text files in it, for example {path}/*.txt") from None
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the path
        raise CorpusError(f"{str(path)!r}: is not a path: {error}") from None


def decode_text(data: bytes, path: str | Path, encoding: str = "utf-8") -> str:
    """Bytes to text: strict decoding, CRLF and CR read as newline, a leading byte-order mark dropped.

    Raises CorpusError that names the byte offset and an encoding to try, or says that the file is binary.
    """
    try:
        text = data.decode(encoding)
    except UnicodeError as error:
        raise CorpusError(_undecodable(data, path, encoding, error)) from None
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        raise CorpusError(
            f"--encoding {encoding!r}: no such encoding; common ones are utf-8, {', '.join(_ALTERNATIVES)}"
        ) from None
    place = text.find("\0", 0, BINARY_PROBE_BYTES)
    if place >= 0:
        raise CorpusError(
            f"{path}: looks like a binary file (a NUL character at position {place}); give a plain text file"
            + _hint(data, ("utf-16-le", "utf-16-be"))
        )
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _undecodable(data: bytes, path: str | Path, encoding: str, error: UnicodeError) -> str:
    with_mark = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in data[:BINARY_PROBE_BYTES] and not with_mark:
        offset = data.index(b"\0")
        return f"{path}: looks like a binary file (a NUL byte at offset {offset}); give a plain text file"
    if not isinstance(error, UnicodeDecodeError):
        return f"{path}: is not {encoding}: {error}"
    offset = error.start + len(data) - len(error.object)  # utf-8-sig counts from behind the mark
    what = f"byte 0x{data[offset]:02x} at offset {offset}" if offset < len(data) else f"it ends at offset {offset}"
    if _is_utf8(data):  # strict enough that it hardly ever fits by accident
        return f"{path}: is not {encoding}: {what}; try --encoding utf-8"
    return f"{path}: is not {encoding}: {what}" + _hint(
        data, _ALTERNATIVES if with_mark else _ALTERNATIVES[1:], encoding
    )


def _hint(data: bytes, encodings: Sequence[str], tried: str = "") -> str:
    """The first encodings under which the bytes are a text, as a suggestion; nothing where there is none."""
    fitting = [name for name in encodings if name != tried and _is_text(data[:BINARY_PROBE_BYTES], name)]
    return "; try --encoding " + " or ".join(fitting[:3]) if fitting else ""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_text(data: bytes, encoding: str) -> bool:
    try:
        text = data[: len(data) // 4 * 4].decode(encoding)
    except UnicodeError:
        return False
    odd = sum(not (char.isprintable() or char in "\t\n\r\f\ufeff") for char in text)
    return odd <= len(text) // 100


def _listed(paths: Sequence[str | Path]) -> str:
    return ", ".join(str(path) for path in paths)
