"""GRU and plain RNN in NumPy, against torch's layers."""

from itertools import islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from charrnn_tui.analysis.gates import gate_shares
from charrnn_tui.analysis.memory import influences
from charrnn_tui.analysis.reading import read_blocks
from charrnn_tui.sampling.cells import CELLS
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.pins import Pin
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.scoring import sequence_losses
from charrnn_tui.sampling.settings import SamplingSettings
from tests.sampling.random_networks import TorchCharRNN, random_ids

CELL = pytest.mark.parametrize("cell", ["gru", "rnn"])
SIZES = pytest.mark.parametrize(("n_tokens", "n_hidden", "n_layers"), [(1, 1, 1), (5, 3, 1), (83, 64, 2), (3, 300, 3)])


def close(ours: NDArray[np.float32], theirs: torch.Tensor) -> None:
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=2e-4, atol=2e-5)


@CELL
@SIZES
def test_a_whole_text_and_single_steps_give_what_torch_gives(
    cell: str, n_tokens: int, n_hidden: int, n_layers: int
) -> None:
    network = TorchCharRNN(n_tokens, n_hidden, n_layers, cell=cell)
    ids = random_ids(60, n_tokens)
    expected, h = network.logits(ids[np.newaxis])
    model = CharModel(network.checkpoint())
    ((logits, state),) = model.forward(ids)
    close(logits, expected[0])
    close(state.h, h[:, 0])
    np.testing.assert_allclose(np.tanh(state.c), state.h, atol=1e-6)
    stepped = model.initial_state()
    for token_id, row in zip(ids.tolist(), expected[0], strict=True):
        one, stepped = model.step(token_id, stepped)
        close(one, row)
    close(stepped.h, h[:, 0])


@CELL
def test_texts_side_by_side_give_what_each_gives_alone(cell: str) -> None:
    model = CharModel(TorchCharRNN(7, 20, 2, cell=cell).checkpoint())
    ids = random_ids(90, 7).reshape(3, 30)
    ((together, _),) = model.forward(ids)
    for row, logits in zip(ids, together, strict=True):
        ((alone, _),) = model.forward(row)
        np.testing.assert_allclose(logits, alone, atol=1e-5)


@CELL
def test_losses_are_torchs_cross_entropy(cell: str) -> None:
    network = TorchCharRNN(9, 30, 2, cell=cell)
    ids = random_ids(80, 9)
    logits = network.logits(ids[np.newaxis])[0][0, :-1]
    expected = torch.nn.functional.cross_entropy(logits, torch.from_numpy(ids[1:].astype(np.int64)), reduction="none")
    (losses,) = sequence_losses(CharModel(network.checkpoint()), ids)
    np.testing.assert_allclose(losses, expected.numpy(), rtol=1e-4, atol=1e-5)


@CELL
def test_a_saturated_unit_has_a_finite_state(cell: str) -> None:
    network = TorchCharRNN(3, 4, 1, cell=cell)
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.mul_(100)
    _, state = CharModel(network.checkpoint()).step(0, CharModel(network.checkpoint()).initial_state())
    assert np.isfinite(state.c).all()
    assert np.abs(state.h).max() > 0.999


@CELL
def test_a_pinned_unit_has_its_activation(cell: str) -> None:
    model = CharModel(TorchCharRNN(5, 6, 2, cell=cell).checkpoint())
    _, state = model.step(1, model.initial_state(), (Pin(2, 3, 0.5),))
    assert state.h[1, 2] == pytest.approx(0.5)
    assert np.tanh(state.c[1, 2]) == pytest.approx(0.5)


def test_gates_of_a_gru_are_reset_and_update() -> None:
    network = TorchCharRNN(5, 6, 2, cell="gru")
    with torch.no_grad():
        network.gru.bias_ih_l0[:6] = 50  # r
        network.gru.bias_ih_l0[6:12] = -50  # z
    model = CharModel(network.checkpoint())
    shares = gate_shares(read_blocks(model, random_ids(50, 5), gates=True), model.cell.gate_names)
    assert [(each.layer, each.gate) for each in shares] == [(1, "reset"), (1, "update"), (2, "reset"), (2, "update")]
    assert [(each.closed, each.open) for each in shares[:2]] == [(0, 1), (1, 0)]


@CELL
def test_a_text_is_written_and_its_memory_studied(cell: str) -> None:
    checkpoint = TorchCharRNN(6, 20, 2, cell=cell).checkpoint()
    model = CharModel(checkpoint)
    greedy = Sampler(model, checkpoint.vocabulary, SamplingSettings(temperature=0), seed=1, prime="!")
    written = [each.token_id for each in islice(greedy, 20)]
    logits, state = model.step(checkpoint.vocabulary.index["!"], model.initial_state())
    for token_id in written:
        assert token_id == logits.argmax()
        logits, state = model.step(token_id, state)
    assert influences(model, np.array(written, np.uint8)).shape == (20,)


def test_every_cell_of_a_checkpoint_has_its_equations() -> None:
    from charrnn_tui.checkpoint import checkpoint

    assert list(CELLS) == list(checkpoint.CELLS)
