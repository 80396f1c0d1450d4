"""The operations of a training step, counted by PyTorch, and the machine's limit."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from charrnn_tui.training.devices import Placement
from charrnn_tui.training.flops import flops_per_char, limit_gflops


@pytest.mark.parametrize(("tokens", "n_hidden", "n_layers"), [(83, 16, 2), (30, 8, 1), (11, 12, 3)])
def test_the_formula_counts_what_pytorch_counts(tokens: int, n_hidden: int, n_layers: int) -> None:
    seq, batch = 5, 4
    # Doubles, because oneDNN's LSTM of floats is one call, of which the counter sees no products.
    lstm, linear = nn.LSTM(tokens, n_hidden, n_layers).double(), nn.Linear(n_hidden, tokens).double()
    x = nn.functional.one_hot(torch.arange(seq * batch).view(seq, batch) % tokens, tokens).double()
    # With gradients, so that the first time step has as many products as the others.
    h, c = (torch.zeros(n_layers, batch, n_hidden, requires_grad=True, dtype=torch.double) for _ in range(2))
    with FlopCounterMode(display=False) as counter:
        output, _ = lstm(x, (h, c))
        linear(output.reshape(-1, n_hidden)).sum().backward()
    lookup = 2 * 2 * tokens * 4 * n_hidden  # the one-hot input's product and its weight's gradient: no products of ours
    assert counter.get_total_flops() == seq * batch * (flops_per_char(tokens, n_hidden, n_layers) + lookup)


def test_a_step_of_the_notebook_takes_245_gflop() -> None:
    assert 128 * 100 * flops_per_char(tokens=83, n_hidden=512, n_layers=2) == pytest.approx(245e9, rel=1e-3)


def test_measuring_the_limit_changes_no_random_numbers() -> None:
    before = torch.random.get_rng_state()
    limit_gflops.cache_clear()
    assert limit_gflops(Placement("cpu", "", "float32", torch.get_num_threads())) > 0
    assert torch.equal(before, torch.random.get_rng_state())
