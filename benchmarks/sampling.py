"""Writing text: one at a time beside the notebook's loop, and many at once; 2×512."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring import ROOT, Row, in_turn
from benchmarks.yardstick import notebook, notebook_name, notebooks_speed, text_file
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.native.cores import available_cores
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.lstm_step import BITS, COMPILED
from charrnn_tui.sampling.many_texts import write_many
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings

TITLE = "Sampling, 2×512"
ROUNDS, AT_ONCE = 7, 64
CHARACTERS = 6000  # of one text: a second or so, as the notebook's 300 take
TOP_5 = SamplingSettings(top_k=5)


def measure(scratch: Path) -> Iterator[Row]:
    """One text against the notebook, with its threads and with one."""
    checkpoint = read_checkpoint(ROOT / "checkpoints" / "anna.safetensors")
    model = CharModel(checkpoint)
    how = f"compiled, {BITS}-bit weights" if COMPILED.wait() else "NumPy: no C compiler here"

    def ours() -> float:
        sampler = Sampler(model, checkpoint.vocabulary, TOP_5, seed=0, prime="Anna")
        started = time.perf_counter()
        for _ in range(CHARACTERS):
            next(sampler)
        return CHARACTERS / (time.perf_counter() - started)

    text, threads, cores = text_file(scratch), torch.get_num_threads(), available_cores()
    figures = in_turn(ROUNDS, ours, partial(notebooks_speed, "sample", text))
    note = f"ours in one thread; {how}"
    yield Row("one text, top-k 5", "chars/s", *figures, f"{notebook_name()}, {threads} threads", note=note)
    figures = in_turn(ROUNDS, ours, partial(notebooks_speed, "sample", text, 1))
    yield Row("one text, top-k 5", "chars/s", *figures, f"{notebook_name()}, 1 thread", "≥ 10×", note=note)

    def many() -> float:
        started = time.perf_counter()
        seeds = range(AT_ONCE)
        start = Sampler(model, checkpoint.vocabulary, TOP_5, seed=0, prime="Anna")
        write_many(start, seeds, 500, cores)
        return AT_ONCE * 500 / (time.perf_counter() - started)

    net = notebook().CharRNN(checkpoint.vocabulary.tokens, 512, 2)
    net.load_state_dict({name: torch.from_numpy(np.array(tensor)) for name, tensor in checkpoint.weights.items()})

    def torches() -> float:
        ids, hidden = torch.zeros(AT_ONCE, dtype=torch.long), net.init_hidden(AT_ONCE)
        started = time.perf_counter()
        with torch.inference_mode():
            for _ in range(50):
                inputs = torch.nn.functional.one_hot(ids, len(net.chars)).float().unsqueeze(1)
                logits, hidden = net(inputs, hidden)
                likeliest, among = torch.softmax(logits, dim=1).topk(5)
                ids = among.gather(1, torch.multinomial(likeliest, 1))[:, 0]
        return AT_ONCE * 50 / (time.perf_counter() - started)

    note = f"each text as its seed writes it alone; a thread a core: {cores}"
    figures = in_turn(ROUNDS, many, torches)
    yield Row(
        f"{AT_ONCE} texts at once, top-k 5",
        "chars/s",
        *figures,
        f"torch's LSTM, {threads} threads",
        "≥ 15,000",
        note=note,
    )

    size = sum(tensor.size for tensor in checkpoint.weights.values())
    as_read = (size * BITS // 16, np.int16) if COMPILED.wait() else (size, np.float32)
    weights: np.ndarray = np.ones(*as_read)

    def reading() -> float:
        started = time.perf_counter()
        for _ in range(100):
            weights.max()
        return 100 / (time.perf_counter() - started)

    figures = in_turn(ROUNDS, ours, reading)
    name = "reading all weights once a character, 1 thread"
    yield Row("one text, top-k 5", "chars/s", *figures, name, "≥ 0.7×", note="ours in one thread")
