"""On a GPU, where there is one: warnings are errors, so that weights which cuDNN has to copy fail these tests."""

import numpy as np
import pytest
import torch

from charrnn_tui.training.learner import Learner
from tests.training.small_trainings import small_corpus, small_settings

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with CUDA")


def losses(*, ahead: bool, **changes: object) -> list[float]:
    learner = Learner(small_settings(**changes), small_corpus())
    steps = [learner.learn(until=learner.steps if ahead else 0).loss for _ in range(learner.steps)]
    return [*steps, learner.validate()[0]]


@pytest.mark.parametrize("n_hidden", [8, 2])  # 2: fewer gates than characters, so rows are looked up
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_learns_as_the_cpu_does(precision: str, n_hidden: int) -> None:
    expected = losses(ahead=False, n_hidden=n_hidden)
    for ahead in (False, True):
        ours = losses(ahead=ahead, device="cuda", precision=precision, n_hidden=n_hidden)
        np.testing.assert_allclose(ours, expected, rtol=0.03)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_step_waits_for_nothing(precision: str) -> None:
    settings = small_settings(device="cuda", precision=precision, drop_prob=0.5, weight_drop=0.1)
    learner = Learner(settings, small_corpus())
    for _ in range(3):
        learner.learn()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(3):
            learner._begin_step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert [done.step for done in learner.settle()] == [4, 5, 6]
    assert all(batches.resident for batches in (learner._batches, learner._validation_batches))
