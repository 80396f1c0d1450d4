"""Files as bytes: each byte is a character, those from 0x80 on U+DC80 to U+DCFF, which Python means by them too."""

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Final

BYTES: Final = "bytes"  # in the place of an encoding
_SEVERAL: Final = re.compile(  # two to four bytes that may be a character
    "[\udcc2-\udcdf][\udc80-\udcbf]|[\udce0-\udcef][\udc80-\udcbf]{2}|[\udcf0-\udcf4][\udc80-\udcbf]{3}"
)
ALL_BYTES: Final = tuple(bytes(range(256)).decode("ascii", "surrogateescape"))


def in_bytes(text: str) -> str:
    """A character for each byte of the text in UTF-8; what stands for a byte stays."""
    return text if text.isascii() else utf8(text).decode("ascii", "surrogateescape")


def joined(text: str) -> str:
    """The text with the bytes that are characters in UTF-8 as these; others stand for themselves."""
    return text if text.isascii() else utf8(text).decode("utf-8", "surrogateescape")


def joined_at(text: str) -> Iterator[tuple[int, int, str]]:
    """Where bytes of the text, [start, end), are a character in UTF-8, and which one."""
    for found in _SEVERAL.finditer(text):
        if len(character := joined(found[0])) == 1:
            yield *found.span(), character


def joined_pieces(pieces: Iterable[str]) -> Iterator[str]:
    """The same for a text in pieces; a piece is there as soon as it is clear what its bytes are."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for piece in pieces:
        yield decoder.decode(utf8(piece))
    yield decoder.decode(b"", final=True)


def utf8(text: str) -> bytes:
    """The text in UTF-8; what stands for a byte is that byte, other halves of surrogate pairs are as they would be."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
