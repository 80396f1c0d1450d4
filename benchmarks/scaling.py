"""Time and memory by the size of the text, of the model, and of the alphabet: they grow with the work, not faster."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Row, in_a_process
from benchmarks.yardstick import text_file

TITLE = "Growing texts, models and alphabets"

_TEXT = """
import json, pathlib, sys, time
from charrnn_tui.text.corpus import load_corpus
started = time.perf_counter()
corpus = load_corpus([sys.argv[1]], cache=pathlib.Path(sys.argv[2]))
first = time.perf_counter() - started
load_corpus([sys.argv[1]], cache=pathlib.Path(sys.argv[2]))
again = time.perf_counter() - started - first
import torch
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.training.learner import Learner
settings = TrainSettings(n_hidden=128, output_bias=True, precision="float32", threads=1)
started = time.perf_counter()
Learner(settings, corpus).learn()
print(json.dumps({"chars": len(corpus), "first": first, "again": again, "start": time.perf_counter() - started}))
"""

_MODEL = """
import json, sys, time
import numpy as np, torch
from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.training.learner import Learner
tokens, hidden = int(sys.argv[1]), int(sys.argv[2])
vocabulary = Vocabulary(chr(0x4E00 + number) for number in range(tokens))
ids = np.random.default_rng(0).integers(tokens, size=64 * 50 * 8).astype(vocabulary.dtype)
settings = TrainSettings(n_hidden=hidden, batch_size=64, seq_length=50, precision="float32", threads=1, val_frac=0.0)
learner = Learner(settings, Corpus("", ids, vocabulary, ""))
steps = [learner.learn().seconds for _ in range(4)]
model = CharModel(Checkpoint(learner.weights(), vocabulary, hidden, settings.n_layers))
sampler = Sampler(model, vocabulary, seed=0)
started, written = time.perf_counter(), 0
while time.perf_counter() < started + 1:
    next(sampler)
    written += 1
sampling = (time.perf_counter() - started) / written
print(json.dumps({"train": sorted(steps[1:])[1] / (64 * 50), "sample": sampling}))
"""


def measure(scratch: Path) -> Iterator[Row]:
    """A process each, so that its largest memory is its own."""
    for megabytes in (1, 10, 100, 1000):
        if shutil.disk_usage(scratch).free < 4e6 * megabytes:
            print(f"  no room for {megabytes} MB: left out")
            continue
        path = text_file(scratch, megabytes)
        said = in_a_process(_TEXT, str(path), str(scratch / "cache"))
        path.unlink()
        note = f"again {said['again']:.2g} s, one step of 128×100 at 2×128 after {said['start']:.2g} s"
        nanoseconds = 1e9 * said["first"] / said["chars"]
        yield Row(f"encoding {megabytes} MB", "ns/char", [nanoseconds], note=note, higher_is_better=False)
        peak = said["peak_bytes"] / 1e6
        yield Row(
            f"encoding {megabytes} MB and training a step", "MB", [peak], higher_is_better=False, note="torch included"
        )
    for what, sizes in (
        ("hidden", [(83, hidden) for hidden in (128, 256, 512, 1024)]),
        ("alphabet", [(tokens, 256) for tokens in (64, 256, 1024, 5000)]),
    ):
        for tokens, hidden in sizes:
            said = in_a_process(_MODEL, str(tokens), str(hidden))
            name = f"2×{hidden}" if what == "hidden" else f"{tokens:,} tokens, 2×{hidden}"
            note = f"float32, one thread, batches of 64 × 50; at most {said['peak_bytes'] / 1e6:.0f} MB with torch"
            yield Row(f"training {name}", "µs/char", [1e6 * said["train"]], higher_is_better=False, note=note)
            yield Row(f"sampling {name}", "µs/char", [1e6 * said["sample"]], higher_is_better=False)
