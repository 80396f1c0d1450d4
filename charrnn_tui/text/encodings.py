"""Names of encodings: whether there is such a one, and which ones a file may have."""

import codecs
from typing import Final

from charrnn_tui.text.byte_text import BYTES

_WITH_NULS: Final = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")  # text in these has NUL bytes
_COMMON: Final = (  # of those that read a text equally well, the first ones are named
    *("cp1252", "latin_1", "cp1251", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
    *("koi8_r", "cp1250", "cp1253", "cp866"),
)
COMMON_ENCODINGS: Final = "utf-8, utf-16, cp1251, cp1252, shift-jis"  # for messages


def is_text_encoding(name: str) -> bool:
    """Whether Python can decode text by this name, unlike by names of other codecs, such as hex; BYTES is one."""
    if name == BYTES:
        return True
    try:
        " ".encode(name)
        codecs.getincrementaldecoder(name)
    except (LookupError, ValueError):  # ValueError: a NUL in the name, or a codec that refuses everything
        return False
    return True


def likely_encodings(head: bytes) -> list[str]:
    """Up to three encodings, the likeliest first, for a file that begins so; none where it does not read as text."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return ["utf-32"]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    if b"\0" in head:
        return [name for name in _WITH_NULS if _is_text(head, name)][:1]
    from charset_normalizer import from_bytes  # 50 ms, for this message only

    whole_lines = head[: head.rfind(b"\n") + 1] or head  # the last character may be cut
    matches = list(from_bytes(whole_lines, cp_isolation=list(_COMMON)))
    equal = {name for match in matches if match.chaos <= matches[0].chaos for name in match.could_be_from_charset}
    return [name.replace("_", "-") for name in _COMMON if name in equal][:3]


def _is_text(head: bytes, encoding: str) -> bool:
    try:
        text = head[: len(head) // 4 * 4].decode(encoding)
    except UnicodeError:
        return False
    if not set(" \n\u3000") & set(text):
        return False  # most pairs of bytes are letters of some script, few are white space
    odd = sum(not (char.isprintable() or char in "\t\n\r\f") for char in text)
    return odd <= len(text) // 100
