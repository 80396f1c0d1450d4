"""What we measure ourselves against: the course notebook's code, and its text."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np

from benchmarks.measuring import ROOT, SHARED, in_a_process

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


def notebooks_speed(what: Literal["train", "sample"], path: Path, threads: int | None = None, steps: int = 5) -> float:
    """Characters a second of the notebook: `train`, some steps at its settings but the first, and then `sample`.

    In a fresh process, as who runs the notebook has it. Beside ours, or a second time, it depends on what is left of
    the heap whether the C library takes torch's larger tensors from the system anew at each step: on glibc 2.36 that
    halves the speed of `sample`.
    """
    steps = 2 if what == "sample" else steps
    measured = in_a_process(_NOTEBOOKS_SPEEDS, str(path), str(steps), *([] if threads is None else [str(threads)]))
    return float(measured[what])


_NOTEBOOKS_SPEEDS = """
import json, sys, time
from pathlib import Path
import numpy, torch
from benchmarks.yardstick import encode, notebook
alphabet, ids = encode(Path(sys.argv[1]))
torch.manual_seed(0)
numpy.random.seed(0)
if len(sys.argv) > 3:
    torch.set_num_threads(int(sys.argv[3]))
net, steps, seconds = notebook().CharRNN(alphabet, 512, 2), int(sys.argv[2]), []
notebook().train(
    net, ids, 1, 128, 100, print_every=10**9, max_steps=steps, on_step=lambda taken, _: seconds.append(taken)
)
started = time.perf_counter()
notebook().sample(net, 300, prime="".join(alphabet[-4:]), top_k=5)
sampling = time.perf_counter() - started
print(json.dumps({"train": 12_800 * len(seconds[1:]) / sum(seconds[1:]), "sample": 304 / sampling}))
"""


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
