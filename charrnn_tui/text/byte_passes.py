"""The passes over a text's bytes: compiled code (byte_passes.c) where a C compiler is found, else those of `bytes`."""

import ctypes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.native.library import BackgroundLibrary

UNKNOWN = 255  # what a table has for a byte without an id
WORTH_IT = 1 << 20  # bytes of a text from which on a library is asked for


def look_up(data: bytes, table: bytes) -> NDArray[np.uint8]:
    """`data.translate(table)`, shape (len(data),); it may be read-only. table: 256 bytes."""
    if COMPILED.library is None:
        return np.frombuffer(data.translate(table), np.uint8)
    found = np.empty(len(data), np.uint8)
    look_up_known(data, table, found)
    return found


def look_up_known(data: bytes | NDArray[np.uint8], table: bytes, out: NDArray[np.uint8]) -> bool:
    """The same into `out`, (len(data),), which may be `data`; both contiguous. Whether no byte has 255 in the table."""
    library = COMPILED.library
    if library is None:
        out[:] = np.frombuffer(bytes(data).translate(table), np.uint8)
        return bool(out.max(initial=0) < UNKNOWN)
    return not library.look_up(data if isinstance(data, bytes) else data.ctypes.data, len(data), table, out.ctypes.data)


def with_newlines(data: bytes) -> bytes:
    """CRLF and CR as newline, in a text of bytes; a CR at its end counts as one alone."""
    if b"\r" not in data:
        return data
    library = COMPILED.library
    if library is not None:
        out = np.empty(len(data), np.uint8)
        return out[: library.unify_newlines(data, len(data), out.ctypes.data)].tobytes()
    without, codes = data.replace(b"\r", b""), np.frombuffer(data, np.uint8)
    pairs = np.count_nonzero((codes[:-1] == ord("\r")) & (codes[1:] == ord("\n")))
    if pairs == len(data) - len(without):
        return without  # where none stands alone this is the same, in a fifth of the time
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _declare(library: ctypes.CDLL) -> None:
    data, size = ctypes.c_void_p, ctypes.c_int64  # bytes, or an array's address
    library.look_up.argtypes, library.look_up.restype = [data, size, data, data], ctypes.c_int
    library.unify_newlines.argtypes, library.unify_newlines.restype = [data, size, data], size


_HERE = Path(__file__)
COMPILED = BackgroundLibrary(_HERE.with_name("byte_passes.c"), _HERE.with_name("byte_passes_check.py"), _declare)
