"""Dynamic evaluation computes what a plain loop of torch.nn.LSTM and autograd does."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.scoring import DynamicSettings, sequence_losses
from charrnn_tui.text.vocabulary import Ids
from charrnn_tui.training.dynamic_evaluation import Diverged, dynamic_losses
from tests.sampling.random_networks import TorchCharRNN, random_ids

TOKENS = 11


def plain_losses(network: TorchCharRNN, written: Ids, ids: Ids, settings: DynamicSettings) -> NDArray[np.float64]:
    """The update rule, a line a step."""
    weights = list(network.parameters())

    def segments(ids: Ids) -> Iterator[tuple[Tensor, tuple[Tensor, ...]]]:
        hidden = None
        for begin in range(0, len(ids) - 1, settings.seq_length):
            x = torch.from_numpy(ids[begin : begin + settings.seq_length + 1].astype(np.int64))
            outputs, hidden = network.lstm(one_hot(x[:-1], TOKENS).float()[None], hidden)
            hidden = tuple(state.detach() for state in hidden)
            losses = cross_entropy(network.fc(outputs[0]), x[1:], reduction="none")
            yield losses.detach(), torch.autograd.grad(losses.mean(), weights)

    columns = zip(*(gradients for _, gradients in segments(written)), strict=True)
    rms = [(torch.stack(column) ** 2).mean(0).sqrt() for column in columns]
    mean = torch.cat([each.flatten() for each in rms]).mean() + 1e-5
    trained = [weight.detach().clone() for weight in weights]
    scored = []
    for losses, gradients in segments(ids):
        scored.append(losses)
        for w, before, gradient, each in zip(weights, trained, gradients, rms, strict=True):
            w.data -= settings.lr * (gradient / (each + 1e-5)).clamp(-4, 4)
            w.data += (settings.decay * each / mean).clamp(max=1) * (before - w.data)
    return torch.cat(scored).double().numpy()


@pytest.mark.parametrize(("n_layers", "length", "seq_length"), [(2, 95, 20), (1, 81, 20), (1, 2, 20), (3, 30, 100)])
def test_the_losses_are_those_of_a_plain_loop(n_layers: int, length: int, seq_length: int) -> None:
    network, settings = TorchCharRNN(TOKENS, 6, n_layers), DynamicSettings(seq_length, lr=0.003, decay=0.5)
    checkpoint, ids = network.checkpoint(), random_ids(length, TOKENS)
    before = {name: tensor.copy() for name, tensor in checkpoint.weights.items()}
    model = CharModel(checkpoint)
    written = islice(Sampler(model, checkpoint.vocabulary, seed=0), 200 * seq_length + 1)
    losses = np.concatenate(list(dynamic_losses(checkpoint, model, ids, settings)))
    for name, tensor in checkpoint.weights.items():
        np.testing.assert_array_equal(tensor, before[name])
    expected = plain_losses(network, np.array([char.token_id for char in written]), ids, settings)
    assert losses.dtype == np.float64
    np.testing.assert_allclose(losses, expected, atol=2e-4)


def test_a_text_of_its_own_kind_is_learned_while_it_is_read() -> None:
    checkpoint = TorchCharRNN(TOKENS, 16, 2).checkpoint()
    model, ids = CharModel(checkpoint), np.tile(random_ids(30, TOKENS), 40)
    static = np.concatenate(list(sequence_losses(model, ids)))
    dynamic = np.concatenate(list(dynamic_losses(checkpoint, model, ids, DynamicSettings(20, lr=0.01))))
    np.testing.assert_allclose(dynamic[:20], static[:20], atol=1e-5)  # scored before anything is learned
    assert dynamic[-200:].mean() < static[-200:].mean() / 2


def test_losses_that_are_not_finite_are_named() -> None:
    checkpoint = TorchCharRNN(TOKENS, 6, 1).checkpoint()
    with pytest.raises(Diverged, match="characters 21 to 40 is not a finite number"):
        list(dynamic_losses(checkpoint, CharModel(checkpoint), random_ids(100, TOKENS), DynamicSettings(20, lr=1e38)))
