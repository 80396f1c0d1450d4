"""Run by native/library.py in a process of its own: exits with 0 if the library does what `bytes` does."""

import ctypes
import sys

import numpy as np

from charrnn_tui.text import byte_passes


def main() -> None:
    """Lengths around those of vectors, texts with newlines of all kinds side by side."""
    draw = np.random.default_rng(0)
    table = draw.permutation(256).astype(np.uint8).tobytes()
    texts = [draw.choice([10, 13, 65, 200], size).astype(np.uint8).tobytes() for size in (*range(200), 5000)]
    texts += [draw.integers(0, 256, size).astype(np.uint8).tobytes() for size in (64, 1000)]
    texts += [b"\r" * 130, b"\r\n" * 65, b"a" * 64 + b"\r\nb"]
    expected = [outcome(text, table) for text in texts]
    byte_passes.COMPILED.use(ctypes.CDLL(sys.argv[1]))
    if [outcome(text, table) for text in texts] != expected:
        sys.exit("other bytes")


def outcome(text: bytes, table: bytes) -> tuple[bytes, bool, bytes]:
    """Of all passes."""
    ids = np.empty(len(text), np.uint8)
    known = byte_passes.look_up_known(text, table, ids)
    return ids.tobytes(), known, byte_passes.with_newlines(text)


if __name__ == "__main__":
    main()
