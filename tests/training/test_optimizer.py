"""Ours beside torch.optim.AdamW."""

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from charrnn_tui.training.optimizer import AdamW

Make = Callable[[list[nn.Parameter]], AdamW | torch.optim.AdamW]
LR, DECAY = 0.01, 0.1


def parameters() -> list[nn.Parameter]:
    dice = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=dice)) for shape in ((3, 4), (5,))]


def theirs(weights: list[nn.Parameter]) -> torch.optim.AdamW:
    return torch.optim.AdamW(weights, lr=LR, weight_decay=DECAY, fused=True)


def ours(weights: list[nn.Parameter]) -> AdamW:
    return AdamW(weights, LR, DECAY, broken=torch.zeros(()))


def learn(optimizer: AdamW | torch.optim.AdamW, weights: list[nn.Parameter], steps: range) -> None:
    for number in steps:
        optimizer.zero_grad()
        sum((weight**2 * (number + 1)).sum() for weight in weights).backward()  # type: ignore[union-attr]  # a tensor
        optimizer.step()


@pytest.mark.parametrize("fused", [True, False])
def test_it_steps_as_pytorch_does(fused: bool) -> None:
    mine, yours = parameters(), parameters()
    optimizer = ours(mine)
    optimizer._fused = fused
    learn(optimizer, mine, range(5))
    learn(theirs(yours), yours, range(5))
    for own, other in zip(mine, yours, strict=True):
        torch.testing.assert_close(own, other, rtol=0 if fused else 1e-6, atol=0 if fused else 1e-6)


@pytest.mark.parametrize(("first", "then"), [(theirs, ours), (ours, theirs), (ours, ours)])
def test_each_goes_on_from_the_others_state(first: Make, then: Make) -> None:
    whole, weights = parameters(), parameters()
    learn(theirs(whole), whole, range(6))
    optimizer = first(weights)
    learn(optimizer, weights, range(3))
    state = optimizer.state_dict()
    other = then(weights)
    other.load_state_dict(state)
    before = copy.deepcopy(state)
    learn(other, weights, range(3, 6))
    assert all(torch.equal(own, expected) for own, expected in zip(weights, whole, strict=True))
    if then is ours:
        assert all(torch.equal(state["state"][0][name], tensor) for name, tensor in before["state"][0].items())


def test_a_state_from_before_the_first_step_begins_anew() -> None:
    whole, weights = parameters(), parameters()
    fresh = theirs(weights).state_dict()
    assert fresh["state"] == {}
    optimizer = ours(weights)
    learn(optimizer, weights, range(2))
    optimizer.load_state_dict(fresh)
    with torch.no_grad():
        for weight, first in zip(weights, parameters(), strict=True):
            weight.copy_(first)
    learn(optimizer, weights, range(3))
    learn(theirs(whole), whole, range(3))
    assert all(torch.equal(own, expected) for own, expected in zip(weights, whole, strict=True))


@pytest.mark.parametrize("fused", [True, False])
def test_a_step_changes_nothing_while_something_is_broken(fused: bool) -> None:
    weights, broken = parameters(), torch.zeros(())
    optimizer = AdamW(weights, LR, DECAY, broken=broken)
    optimizer._fused = fused
    learn(optimizer, weights, range(2))
    before, state = copy.deepcopy(weights), copy.deepcopy(optimizer.state_dict()["state"])
    broken.fill_(1)
    learn(optimizer, weights, range(2, 4))
    assert all(torch.equal(own, expected) for own, expected in zip(weights, before, strict=True))
    after = optimizer.state_dict()["state"]
    assert all(torch.equal(after[place][name], state[place][name]) for place in state for name in state[place])
    broken.zero_()
    learn(optimizer, weights, range(4, 5))
    assert not any(torch.equal(own, expected) for own, expected in zip(weights, before, strict=True))


def test_the_learning_rate_changes() -> None:
    weights = parameters()
    optimizer = ours(weights)
    optimizer.set_lr(0.0)
    learn(optimizer, weights, range(2))
    assert all(torch.equal(own, expected) for own, expected in zip(weights, parameters(), strict=True))
    assert optimizer.state_dict()["param_groups"][0]["lr"] == 0


def test_a_training_loads_no_compiler() -> None:
    code = """
import sys
from charrnn_tui.training.learner import Learner
from tests.training.small_trainings import small_corpus, small_settings
learner = Learner(small_settings(drop_prob=0.5), small_corpus())
learner.learn()
learner.validate()
sys.exit("torch._dynamo" in sys.modules)
"""
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
