"""A text into ids: reading, decoding, hashing, the alphabet, the ids; in time and in memory."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.measuring import Row, in_a_process, in_turn
from benchmarks.yardstick import TEXT, encode, notebook_name, text_file
from charrnn_tui.text.corpus import encode_source, load_corpus, read_text
from charrnn_tui.text.text_file import TextFile
from charrnn_tui.text.text_settings import AS_IT_IS
from charrnn_tui.text.text_source import TextSource

TITLE = "Encoding a text"
ROUNDS = {1: 25, 10: 5}  # by how often the notebook's text stands in the file: 2 MB are over before the cache is warm

_OURS = "import sys; from charrnn_tui.text.corpus import load_corpus; load_corpus([sys.argv[1]])"
_THEIRS = "import sys, pathlib, torch; from benchmarks.yardstick import encode; encode(pathlib.Path(sys.argv[1]))"


def measure(scratch: Path) -> Iterator[Row]:
    """Speed on the notebook's text and on ten of them, with either kind of newline; memory on ten."""
    given = TEXT if TEXT.is_file() else text_file(scratch, 2)
    text = read_text(given)
    for (times, rounds), (newlines, end) in product(ROUNDS.items(), (("LF", "\n"), ("CRLF", "\r\n"))):
        path = scratch / f"{newlines}.txt"
        path.write_text(text * times, encoding="utf-8", newline=end)

        def speed(encoding: Callable[[], object], chars: int = len(text) * times) -> float:
            started = time.perf_counter()
            encoding()
            return chars / (time.perf_counter() - started) / 1e6

        alone, with_hash, plainly = in_turn(
            rounds,
            partial(speed, partial(encode_source, TextSource([TextFile(path)], AS_IT_IS))),
            partial(speed, partial(load_corpus, [path])),
            partial(speed, partial(encode, path)),
        )
        what, unit, name = f"a text of {2 * times} MB, lines end in {newlines}", "M chars/s", notebook_name()
        yield Row(what, unit, alone, plainly, name, "≥ 10×", note="the same work: no hash")
        yield Row(what, unit, with_hash, plainly, name, "≥ 10×", note="ours with SHA-256")
    long, short = text_file(scratch, 20), text_file(scratch, 0.01)
    grown = [
        (in_a_process(code, str(long))["peak_bytes"] - in_a_process(code, str(short))["peak_bytes"]) / 20e6
        for code in (_OURS, _THEIRS)
    ]
    yield Row("memory", "bytes/char", grown[:1], grown[1:], notebook_name(), "≤ 2", higher_is_better=False)
