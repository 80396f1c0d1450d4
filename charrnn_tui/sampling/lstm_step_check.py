"""Run by native/library.py in a process of its own: exits with 0 if lstm_step.c computes what NumPy computes."""

import ctypes
import sys

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.sampling import lstm_step
from charrnn_tui.sampling.char_model import QUANTIZED_FROM, CharModel, HiddenState
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary

ALPHABET, LAYERS, CHARACTERS = map(chr, range(32, 102)), 3, 40  # 70 tokens: more than a block, and no multiple of it


def main() -> None:
    """An illegal instruction or a wrong number ends this process, and no text."""
    draw = np.random.default_rng(0)
    vocabulary, n = Vocabulary(ALPHABET), QUANTIZED_FROM + 8
    shapes = tensor_shapes(len(vocabulary), n, LAYERS)
    weights = {name: draw.normal(0, 0.05, shape) for name, shape in shapes.items()}
    model = CharModel(Checkpoint(weights, vocabulary, n, LAYERS))
    ids = draw.integers(len(vocabulary), size=CHARACTERS).tolist()
    expected = written(model, ids)
    lstm_step.COMPILED.use(ctypes.CDLL(sys.argv[1]))
    for ours, theirs in zip(written(model, ids), expected, strict=True):
        if not np.abs(ours - theirs).max() <= 2e-4:
            sys.exit("wrong numbers")
    logits_of_all, h, c = expected
    together = HiddenState(*(np.stack([part] * 6, axis=1) for part in (h, c)))  # four at a time, and two
    among = model.step(np.arange(6), together)[0]
    for token_id, logits in enumerate(among):
        if not np.array_equal(logits, model.step(token_id, HiddenState(h, c))[0]):
            sys.exit("other numbers among others")
    settings = SamplingSettings(0.8, top_k=20, top_p=0.9, min_p=0.01)
    for logits, u in zip(logits_of_all, draw.random(CHARACTERS).tolist(), strict=True):
        if lstm_step.choose(logits, settings, u) != Distribution(logits, settings).choose(u):
            sys.exit("another choice")
    lost = np.full((LAYERS, n), np.nan, np.float32)
    if not np.isnan(model.step(0, HiddenState(lost, lost))[0]).all():
        sys.exit("a NaN got lost")


def written(model: CharModel, ids: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of all characters, and the state after them."""
    state, rows = model.initial_state(), []
    for token_id in ids:
        logits, state = model.step(token_id, state)
        rows.append(logits)
    return np.array(rows), state.h, state.c


if __name__ == "__main__":
    main()
