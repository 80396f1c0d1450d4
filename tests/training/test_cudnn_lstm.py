"""How cuDNN is called, tried on the CPU, where the same call reaches PyTorch's own LSTM."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from charrnn_tui.training.cudnn_lstm import cudnn_lstm, in_one_piece
from charrnn_tui.training.cudnn_lstm import has_bfloat16 as has_bfloat16_products
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.model import Layers
from tests.training.small_trainings import small_corpus, small_settings

INPUTS, WIDTH = 7, 5


def an_lstm(layers: int) -> tuple[nn.LSTM, list[torch.Tensor]]:
    torch.manual_seed(1)
    lstm = nn.LSTM(INPUTS, WIDTH, layers)
    return lstm, [weight for layer in lstm.all_weights for weight in layer]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_weights_lie_in_one_piece_matrices_first(layers: int, kind: torch.dtype) -> None:
    lstm, weights = an_lstm(layers)
    views = in_one_piece(weights, kind)
    names = [name for name, _ in lstm.named_parameters()]
    ordered = sorted(zip(names, views, strict=True), key=lambda pair: pair[1].data_ptr())
    matrices, biases = ([name for name in names if what in name] for what in ("weight", "bias"))
    assert [name for name, _ in ordered] == matrices + biases
    in_turn = [view for _, view in ordered]
    for before, after in pairwise(in_turn):
        assert before.data_ptr() + before.nbytes == after.data_ptr()
    for view, weight in zip(views, weights, strict=True):
        assert (view.dtype, view.is_contiguous()) == (kind, True)
        assert torch.equal(view, weight.to(kind))
    sum((number + 1) * view.float().sum() for number, view in enumerate(views)).backward()  # type: ignore[union-attr]  # a tensor
    for number, weight in enumerate(weights):
        assert weight.grad is not None
        assert torch.equal(weight.grad, torch.full_like(weight, number + 1))


@pytest.mark.parametrize("pieces", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_in_float32_it_is_the_lstm(layers: int, pieces: bool) -> None:
    lstm, weights = an_lstm(layers)
    x, hidden = torch.randn(6, 3, INPUTS), (torch.randn(layers, 3, WIDTH), torch.randn(layers, 3, WIDTH))
    expected, (h, c) = lstm(x, hidden)
    expected.sum().backward()
    gradients = [weight.grad.clone() for weight in lstm.parameters() if weight.grad is not None]
    lstm.zero_grad()
    given = [weight * 1 for weight in weights] if pieces else weights  # what is no parameter is put in one piece
    output = cudnn_lstm(x, hidden, given, torch.float32, dropout=0.0, training=True)
    output[0].sum().backward()
    for ours, theirs in zip(output, (expected, h, c), strict=True):
        assert torch.equal(ours, theirs)
    for ours_, theirs in zip(lstm.parameters(), gradients, strict=True):
        assert ours_.grad is not None
        torch.testing.assert_close(ours_.grad, theirs)


def test_autocast_does_not_choose_the_type() -> None:
    lstm, weights = an_lstm(2)
    x, hidden = torch.randn(6, 3, INPUTS), (torch.zeros(2, 3, WIDTH), torch.zeros(2, 3, WIDTH))
    with torch.autocast("cpu", torch.float16):
        output, h, c = cudnn_lstm(x, hidden, weights, torch.bfloat16, dropout=0.0, training=True)
    assert {tensor.dtype for tensor in (output, h, c)} == {torch.bfloat16}
    torch.testing.assert_close(output.float(), lstm(x, hidden)[0], atol=0.01, rtol=0.02)


def losses(layers: Layers, **changes: Any) -> list[float]:
    learner = Learner(small_settings(**changes), small_corpus())
    learner.model.forced_layers = layers
    return [learner.learn().loss for _ in range(10)] + [learner.validate()[0]]


@pytest.fixture
def has_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """The GPU, which is not there, computes LSTMs in bfloat16."""
    monkeypatch.setattr("charrnn_tui.training.model.has_bfloat16", lambda: True)


@pytest.mark.usefixtures("has_bfloat16")
@pytest.mark.parametrize("n_hidden", [8, 2])  # 2: fewer gates than characters, so rows are looked up
@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_model_learns_the_same_that_way(n_hidden: int, n_layers: int) -> None:
    changes = {"n_hidden": n_hidden, "n_layers": n_layers, "drop_prob": 0.5 if n_layers > 1 else 0.0}
    expected = losses(Layers.PYTORCH, **changes)
    np.testing.assert_allclose(losses(Layers.CUDNN, **changes), expected, rtol=1e-5)
    np.testing.assert_allclose(losses(Layers.CUDNN, precision="bfloat16", **changes), expected, rtol=0.03)


@pytest.mark.skipif(has_bfloat16_products(), reason="this machine's GPU has them")
def test_a_gpu_without_bfloat16_products_learns_in_float32() -> None:
    seen = []
    learner = Learner(small_settings(precision="bfloat16"), small_corpus())
    learner.model.forced_layers = Layers.CUDNN

    def dropout(x: torch.Tensor, p: float, training: bool) -> torch.Tensor:
        seen.append(x.dtype)
        return x

    learner.model.forced_dropout = dropout
    learner.learn()
    assert seen == [torch.float32]
