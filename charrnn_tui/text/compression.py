"""Compressed files of text: gzip and Zstandard, recognized by their first bytes and unpacked piece by piece."""

import importlib
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, BinaryIO, Final, Protocol

MOST_BYTES: Final = 1 << 20  # that are unpacked at once: a small file may hold gigabytes
_FEED: Final = 4096  # compressed bytes at once: how exactly a damaged place is named


class Damaged(ValueError):
    """A compressed file cannot be unpacked; the message says why, and where in the file."""


class _Unpacker(Protocol):
    """Of one stream; several may follow one another in a file."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def unused_data(self) -> bytes:
        """What follows its end."""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """What more compressed bytes hold, at most MOST_BYTES at once."""


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def unpack(self, data: bytes) -> Iterator[bytes]:
        while data and not self.eof:
            yield self._stream.decompress(data, MOST_BYTES)
            data = self._stream.unconsumed_tail


class _Zstandard:
    def __init__(self) -> None:
        self._stream = _zstd().ZstdDecompressor()

    @property
    def eof(self) -> bool:
        return bool(self._stream.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._stream.unused_data)

    def unpack(self, data: bytes) -> Iterator[bytes]:
        yield self._stream.decompress(data, MOST_BYTES)
        while not self._stream.needs_input and not self.eof:
            yield self._stream.decompress(b"", MOST_BYTES)


_FORMATS: Final[dict[bytes, tuple[str, Callable[[], _Unpacker]]]] = {  # by their first bytes
    b"\x1f\x8b\x08": ("gzip", _Gzip),
    b"\x28\xb5\x2f\xfd": ("Zstandard", _Zstandard),
}


def format_of(head: bytes) -> str | None:
    """`gzip` or `Zstandard`, by the first bytes of a file; None for a file that is not compressed so."""
    return next((name for magic, (name, _) in _FORMATS.items() if head.startswith(magic)), None)


def unpacked(file: BinaryIO, piece_bytes: int) -> Iterator[bytes]:
    """The bytes of a file, unpacked where it is compressed, in pieces that are not empty. Raises OSError, Damaged.

    piece_bytes: of a piece of a file that is not compressed.
    """
    head = file.read(piece_bytes)
    unpack = next((unpack for magic, (_, unpack) in _FORMATS.items() if head.startswith(magic)), None)
    pieces = chain([head] if head else [], iter(lambda: file.read(piece_bytes), b""))
    return pieces if unpack is None else _unpacked(pieces, format_of(head) or "", unpack)


def _unpacked(pieces: Iterator[bytes], name: str, unpack: Callable[[], _Unpacker]) -> Iterator[bytes]:
    stream, offset = unpack(), 0
    for piece in pieces:
        for begin in range(0, len(piece), _FEED):
            fed = piece[begin : begin + _FEED]
            while fed:
                if stream.eof:  # another one may follow, or zeros that fill a block
                    fed = fed.lstrip(b"\0")
                    if not fed:
                        break
                    stream = unpack()
                try:
                    yield from filter(None, stream.unpack(fed))
                except _errors() as error:
                    reason = str(error).rpartition(": ")[2]
                    where = f"between the offsets {offset:,} and {offset + _FEED:,}"
                    raise Damaged(f"its {name} data are damaged {where} ({reason}); get the file again") from None
                fed = stream.unused_data if stream.eof else b""
            offset += len(piece[begin : begin + _FEED])
    if not stream.eof:
        raise Damaged(f"its {name} data are cut off at offset {offset:,}, the end of the file; get the file again")


def _errors() -> tuple[type[Exception], ...]:
    try:
        return zlib.error, _zstd().ZstdError
    except Damaged:
        return (zlib.error,)


def _zstd() -> Any:
    """The module `compression.zstd` of Python 3.14, or the same of the package backports.zstd. Raises Damaged."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise Damaged("is compressed with Zstandard: pip install 'charrnn-tui[zst]', or unpack it first")
