"""Run by native/compiler.py in a process of its own: exits with 0 if the library computes what NumPy computes."""

import ctypes
import sys

import numpy as np

from charrnn_tui.native.library import Library
from charrnn_tui.sampling import lstm_step
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.sampling.lstm import ROUNDED_FROM, CharLSTM, LSTMState
from charrnn_tui.sampling.settings import SamplingSettings

TOKENS, LAYERS, CHARACTERS = 70, 3, 40  # more tokens than stand in a block, and no multiple of it


def main() -> None:
    """An illegal instruction or a wrong number ends this process, and no text."""
    draw = np.random.default_rng(0)
    n = ROUNDED_FROM + 8
    shapes = {"fc.weight": (TOKENS, n), "fc.bias": (TOKENS,)}
    for layer in range(LAYERS):
        shapes[f"lstm.weight_ih_l{layer}"] = (4 * n, n if layer else TOKENS)
        shapes[f"lstm.weight_hh_l{layer}"] = (4 * n, n)
        shapes[f"lstm.bias_ih_l{layer}"] = shapes[f"lstm.bias_hh_l{layer}"] = (4 * n,)
    model = CharLSTM({name: draw.normal(0, 0.05, shape) for name, shape in shapes.items()})
    ids = draw.integers(TOKENS, size=CHARACTERS).tolist()
    expected = written(model, ids)
    lstm_step.COMPILED.take(Library(ctypes.CDLL(sys.argv[1]), ""))
    for threads in (1, 2, 4):
        with lstm_step.helped(threads):
            for ours, theirs in zip(written(model, ids), expected, strict=True):
                if not np.abs(ours - theirs).max() <= 2e-4:
                    sys.exit("wrong numbers")
    state = LSTMState(*(np.stack([part] * 3, axis=1) for part in (expected[1], expected[2])))
    among = model.step(np.array([5, 6, 7]), state)[0][1]
    if not np.array_equal(among, model.step(6, LSTMState(expected[1], expected[2]))[0]):
        sys.exit("other numbers among others")
    settings = SamplingSettings(0.8, top_k=20, top_p=0.9, min_p=0.01)
    for logits, u in zip(expected[0], draw.random(CHARACTERS).tolist(), strict=True):
        if lstm_step.choose(logits, settings, u) != Distribution(logits, settings).choose(u):
            sys.exit("another choice")
    lost = np.full((LAYERS, n), np.nan, np.float32)
    if not np.isnan(model.step(0, LSTMState(lost, lost))[0]).all():
        sys.exit("a NaN got lost")


def written(model: CharLSTM, ids: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of all characters, and the state after them."""
    state, logits = model.initial_state(), []
    for token_id in ids:
        of_one, state = model.step(token_id, state)
        logits.append(of_one)
    return np.array(logits), state.h, state.c


if __name__ == "__main__":
    main()
