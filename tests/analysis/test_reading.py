"""What is seen inside a model while it reads a text, beside its states step by step."""

import numpy as np
import pytest

from charrnn_tui.analysis.gates import CLOSED, OPEN, gate_shares
from charrnn_tui.analysis.reading import LEAST_PIECE, WARM_UP, read_blocks
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import random_checkpoint

VOCABULARY = Vocabulary("abcd ")


def a_text(length: int) -> np.ndarray:
    return np.random.default_rng(1).integers(len(VOCABULARY), size=length).astype(VOCABULARY.dtype)


@pytest.mark.parametrize("length", [1, 700, 3 * LEAST_PIECE + 17])
def test_every_character_is_reported_once(length: int) -> None:
    model = CharModel(random_checkpoint(VOCABULARY, n_hidden=8, n_layers=2))
    blocks = list(read_blocks(model, a_text(length)))
    places = np.concatenate([block.places for block in blocks])
    assert sorted(places.tolist()) == list(range(length))
    assert blocks[-1].read == length
    assert sum(len(block.cells) for block in blocks) == length


def test_cells_are_those_of_reading_step_by_step() -> None:
    ids, model = a_text(2 * LEAST_PIECE), CharModel(random_checkpoint(VOCABULARY, n_hidden=8, n_layers=2))
    cells = np.empty((len(ids), 2, 8), np.float32)
    for block in read_blocks(model, ids):
        cells[block.places] = block.cells
    for begin in (0, LEAST_PIECE - WARM_UP):  # of both pieces
        state = model.initial_state()
        for place in range(begin, begin + LEAST_PIECE):
            state = model.advance(int(ids[place]), state)
            if place >= (LEAST_PIECE if begin else 0):
                np.testing.assert_allclose(cells[place], state.c, atol=1e-5)


def test_gates_are_those_of_torch_s_equations() -> None:
    checkpoint, ids = random_checkpoint(VOCABULARY, n_hidden=8, n_layers=1), a_text(50)
    model, w = CharModel(checkpoint), checkpoint.weights
    (block,) = read_blocks(model, ids, gates=True)
    assert block.gates is not None
    h = c = np.zeros(8)
    for t, token_id in enumerate(ids.tolist()):
        a = w["lstm.weight_ih_l0"][:, token_id] + w["lstm.bias_ih_l0"] + w["lstm.bias_hh_l0"]
        i, f, g, o = np.split(a + w["lstm.weight_hh_l0"] @ h, 4)
        i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
        c = f * c + i * g
        h = o * np.tanh(c)
        np.testing.assert_allclose(block.gates[t, 0], np.concatenate([i, f, o, g]), atol=1e-5)
        np.testing.assert_allclose(block.cells[t, 0], c, atol=1e-5)
    shares = {share.gate: share for share in gate_shares([block])}
    forget = block.gates[:, 0, 8:16]
    assert shares["forget"].closed == pytest.approx((forget < CLOSED).mean())
    assert shares["forget"].open == pytest.approx((forget > OPEN).mean())
    assert [share.layer for share in gate_shares([block])] == [1, 1, 1]
