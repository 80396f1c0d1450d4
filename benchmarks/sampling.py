"""Writing text: one at a time beside the notebook's loop, and many at once; 2×512."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring import ROOT, Row, in_turn
from benchmarks.yardstick import notebook, notebook_name
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.sampling.distribution import SamplingSettings
from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.sampling.sampler import Sampler

TITLE = "Sampling, 2×512"
ROUNDS = 7
TOP_5 = SamplingSettings(top_k=5)


def measure(scratch: Path) -> Iterator[Row]:
    """One text against the notebook, with its threads and with one."""
    checkpoint = read_checkpoint(ROOT / "checkpoints" / "anna.safetensors")
    model = CharLSTM(checkpoint.weights)
    net = notebook().CharRNN(checkpoint.vocabulary.tokens, 512, 2)
    net.load_state_dict({name: torch.from_numpy(np.array(tensor)) for name, tensor in checkpoint.weights.items()})
    torch.manual_seed(0)
    np.random.seed(0)

    def ours() -> float:
        sampler = Sampler(model, checkpoint.vocabulary, TOP_5, seed=0, prime="Anna")
        started = time.perf_counter()
        for _ in range(2000):
            next(sampler)
        return 2000 / (time.perf_counter() - started)

    def notebooks(chars: int = 150) -> float:
        started = time.perf_counter()
        notebook().sample(net, chars, prime="Anna", top_k=5)
        return (chars + 5) / (time.perf_counter() - started)

    threads = torch.get_num_threads()
    figures = in_turn(ROUNDS, ours, notebooks)
    name = f"{notebook_name()}, {threads} threads"
    yield Row("one text, top-k 5", "chars/s", *figures, name, "≥ 17×", note="ours in one thread")
    torch.set_num_threads(1)
    figures = in_turn(ROUNDS, ours, notebooks)
    torch.set_num_threads(threads)
    yield Row("one text, top-k 5", "chars/s", *figures, f"{notebook_name()}, 1 thread", note="ours in one thread")
