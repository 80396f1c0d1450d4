"""What we measure ourselves against: the course notebook's code, and its text."""

import importlib.util
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.measuring import ROOT, SHARED

NOTEBOOK = SHARED / "seed" / "notebook.py"
TEXT = SHARED / "data" / "anna.txt"


@cache
def notebook() -> ModuleType:
    """The notebook's functions, or those of our plain loop where it is absent; `CharRNN`, `train`, `sample`."""
    path = NOTEBOOK if NOTEBOOK.is_file() else ROOT / "benchmarks" / "plain_notebook.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def apart(measured: Callable[..., float], *arguments: Any) -> Iterator[Callable[[], float]]:
    """Yields a function that measures in a process of its own, the same one each time.

    Where the notebook runs beside ours, what ours left of the heap decides whether the C library takes torch's larger
    tensors from the system anew at each step: on glibc 2.36 that halves the speed at which it samples.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda: pool.submit(partial(measured, *arguments)).result()


def notebook_name() -> str:
    """For the table."""
    return "the notebook" if NOTEBOOK.is_file() else "a plain loop"


def encode(path: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """A text to (alphabet, ids), character by character through a dictionary, as the notebook does (cell 4)."""
    with path.open(encoding="utf-8") as file:
        text = file.read()
    alphabet = tuple(sorted(set(text)))
    numbers = {char: number for number, char in enumerate(alphabet)}
    return alphabet, np.array([numbers[char] for char in text])


def text_file(directory: Path, megabytes: float = 2.0) -> Path:
    """A text of about so many bytes: the notebook's repeated, or invented words; not the same line twice in a row."""
    path = directory / f"text-{megabytes:g}mb.txt"
    if path.exists():
        return path
    source = TEXT.read_text(encoding="utf-8") if TEXT.is_file() else invented_text(2_000_000)
    size, number = 0, 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        while size < megabytes * 1e6:
            piece = f"\nPart {number}\n" + source
            size += file.write(piece[: max(0, int(megabytes * 1e6) - size)])
            number += 1
    return path


def invented_text(chars: int, alphabet: int = 80) -> str:
    """Words drawn from a small lexicon of letters, evenly spread punctuation; the same on every machine."""
    draw = np.random.default_rng(0)
    letters = [chr(code) for code in range(0x61, 0x61 + alphabet - 2)] if alphabet > 40 else list("etaoinshrdlu")
    lexicon = ["".join(draw.choice(letters, size=length)) for length in draw.integers(1, 10, size=2000)]
    words = draw.zipf(1.3, size=chars // 4).clip(max=len(lexicon)) - 1
    lines = [" ".join(lexicon[word] for word in words[begin : begin + 12]) for begin in range(0, len(words), 12)]
    return "\n".join(lines)[:chars]
