"""Dropout with numbers of our own drawing."""

import pytest
import torch
from torch import Tensor

from charrnn_tui.training.dropout import dropout


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.97])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
def test_so_many_are_dropped_and_the_mean_stays(p: float, kind: torch.dtype) -> None:
    torch.manual_seed(0)
    out = dropout(torch.ones(1000, 1001, dtype=kind), p, True)
    assert out.dtype == kind
    share = float((out == 0).float().mean())
    assert share == pytest.approx(p, abs=5 * (p * (1 - p) / out.numel()) ** 0.5 + 1e-5)
    assert float(out.max()) == pytest.approx(1 / (1 - p), rel=5e-3 if kind == torch.bfloat16 else 1e-3)
    rounding = 4e-3 if kind == torch.bfloat16 else 1e-4
    assert float(out.double().mean()) == pytest.approx(1, abs=5 * (p / (1 - p) / out.numel()) ** 0.5 + rounding)


def test_what_is_dropped_is_independent_between_places_and_between_calls() -> None:
    torch.manual_seed(0)
    first, second = (dropout(torch.ones(1_000_003), 0.5, True) > 0 for _ in range(2))
    for other in (second, first.roll(1), first.roll(2), first.roll(3), first.roll(4)):
        assert float((first == other).float().mean()) == pytest.approx(0.5, abs=0.003)


def test_the_gradient_goes_where_the_value_went() -> None:
    torch.manual_seed(0)
    x = torch.randn(7, 9, requires_grad=True)
    out = dropout(x, 0.4, True)
    out.sum().backward()
    gradient = x.grad
    assert isinstance(gradient, Tensor)
    assert torch.equal(gradient * x, out)


def test_a_seed_draws_the_same_again() -> None:
    x = torch.ones(501)
    torch.manual_seed(3)
    first = dropout(x, 0.5, True)
    torch.manual_seed(3)
    assert torch.equal(dropout(x, 0.5, True), first)


@pytest.mark.parametrize(("p", "training"), [(0.5, False), (0.0, True)])
def test_nothing_is_dropped_in_evaluation_and_without_a_probability(p: float, training: bool) -> None:
    x, before = torch.ones(5), torch.random.get_rng_state()
    assert dropout(x, p, training) is x
    assert torch.equal(torch.random.get_rng_state(), before)
