"""A text into ids: reading, decoding, hashing, the alphabet, the ids; in time and in memory."""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Row, in_a_process, in_turn
from benchmarks.yardstick import TEXT, encode, notebook_name, text_file
from charrnn_tui.text.corpus import load_corpus

TITLE = "Encoding a text"
ROUNDS = 9

_OURS = "import sys; from charrnn_tui.text.corpus import load_corpus; load_corpus([sys.argv[1]])"
_THEIRS = "import sys, pathlib, torch; from benchmarks.yardstick import encode; encode(pathlib.Path(sys.argv[1]))"


def measure(scratch: Path) -> Iterator[Row]:
    """Seconds on the notebook's text; memory on ten of them."""
    path = TEXT if TEXT.is_file() else text_file(scratch, 2)
    chars = len(load_corpus([path]))

    def ours() -> float:
        started = time.perf_counter()
        load_corpus([path])
        return chars / (time.perf_counter() - started) / 1e6

    def theirs() -> float:
        started = time.perf_counter()
        encode(path)
        return chars / (time.perf_counter() - started) / 1e6

    yield Row(
        "a text of 2 MB", "M chars/s", *in_turn(ROUNDS, ours, theirs), notebook_name(), "≥ 50×", note="with SHA-256"
    )
    long, short = text_file(scratch, 20), text_file(scratch, 0.01)
    grown = [
        (in_a_process(code, str(long))["peak_bytes"] - in_a_process(code, str(short))["peak_bytes"]) / 20e6
        for code in (_OURS, _THEIRS)
    ]
    yield Row("memory", "bytes/char", grown[:1], grown[1:], notebook_name(), "≤ 2", higher_is_better=False)
