"""On a GPU, where there is one: warnings are errors, so that weights which cuDNN has to copy fail these tests."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor

from charrnn_tui.run.control import Control, Stop
from charrnn_tui.run.events import Event, StepDone
from charrnn_tui.training.graph import Graph
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.ranks import Ranks
from charrnn_tui.training.reporter import TrainingReporter
from charrnn_tui.training.resume_state import read_resume_state
from tests.training.lone_rank import LoneRank
from tests.training.small_trainings import of_kind, small_corpus, small_settings, trained

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with CUDA")
ONE_WINDOW = {"seq_length": 120, "epochs": 12}  # an epoch, so that each step sees the same


def on_cuda(**changes: object) -> Learner:
    return Learner(small_settings(device="cuda", **changes), small_corpus())


def recorded(**changes: object) -> Learner:
    """A learner whose steps are a graph by now."""
    learner = on_cuda(**changes)
    while not is_recorded(learner._step_graph):
        learner.learn()
    return learner


def is_recorded(graph: Graph) -> bool:
    return graph._graph is not None


@contextmanager
def nothing_waits() -> Iterator[None]:
    """Whatever makes the host wait for the GPU is an error."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


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


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_step_waits_for_nothing(precision: str) -> None:
    learner = on_cuda(precision=precision, drop_prob=0.5, weight_drop=0.1)
    learner.learn()
    with nothing_waits():
        learner.begin_step()
        learner.begin_step()
    assert [done.step for done in learner.finish_queued()] == [2, 3]
    learner.learn()  # recorded, for which it waits
    with nothing_waits():
        for _ in range(3):
            learner.begin_step()
    assert [done.step for done in learner.finish_queued()] == [5, 6, 7]
    assert is_recorded(learner._step_graph)
    assert all(batches.resident for batches in (learner.batches, learner.validation_batches))


@pytest.mark.parametrize(
    "dropout", [{"drop_prob": 0.5}, {"drop_prob": 0.5, "n_layers": 1}, {"weight_drop": 0.5}], ids=str
)
def test_a_recorded_step_draws_its_dropout_anew(dropout: dict[str, float]) -> None:
    learner = recorded(lr=1e-12, **ONE_WINDOW, **dropout)
    assert len({learner.learn().loss for _ in range(6)}) == 6
    plain = recorded(lr=1e-12, **ONE_WINDOW)
    assert len({plain.learn().loss for _ in range(6)}) == 1


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_step_shared_by_ranks_is_recorded_in_two_pieces(precision: str) -> None:
    settings = small_settings(device="cuda", precision=precision)
    plain = Learner(settings, small_corpus())
    learner = Learner(settings, small_corpus(), ranks=cast(Ranks, LoneRank()))
    losses = [[each.learn().loss for _ in range(9)] for each in (learner, plain)]
    np.testing.assert_allclose(*losses, rtol=1e-3)
    assert is_recorded(learner._step_graph)
    assert is_recorded(learner._update_graph)


def test_a_recorded_step_takes_on_another_learning_rate() -> None:
    learner = recorded()
    learner.lr_factor = 0.0
    before = learner.weights()
    learner.learn()
    assert all((before[name] == tensor).all() for name, tensor in learner.weights().items())
    learner.lr_factor = 1.0
    learner.learn()
    assert all((before[name] != tensor).any() for name, tensor in learner.weights().items())


def test_recorded_steps_behind_one_that_is_not_finite_change_nothing() -> None:
    learner = recorded(epochs=4)
    before, step = learner.weights(), learner.step
    learner.hidden = (learner.hidden[0] * math.nan, learner.hidden[1] * math.nan)
    for _ in range(3):
        learner.begin_step()
    assert [math.isfinite(done.loss) for done in learner.finish_queued()] == [False]
    assert learner.step == step
    assert all((before[name] == tensor).all() for name, tensor in learner.weights().items())
    learner.hidden = learner.model.init_hidden(learner.settings.batch_size)
    assert math.isfinite(learner.learn().loss)
    assert any((before[name] != tensor).any() for name, tensor in learner.weights().items())


def test_a_recorded_validation_says_the_same() -> None:
    learner = on_cuda()
    by_pieces = learner.validate()[0]
    while not is_recorded(learner._validation_graph):
        learner.validate()
    assert learner.validate()[0] == pytest.approx(by_pieces, rel=1e-6)
    learner.learn()
    assert learner.validate()[0] != pytest.approx(by_pieces, rel=1e-6)


@pytest.mark.parametrize(("first", "then"), [("cuda", "cuda"), ("cuda", "cpu"), ("cpu", "cuda")])
def test_a_training_goes_on_on_another_device(first: str, then: str, tmp_path: Path) -> None:
    control, whole = Control(), [done.loss for done in of_kind(trained(small_settings()), StepDone)]

    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 8:
            control.request(Stop())

    trained(small_settings(device=first), tmp_path, control, at=stop)
    state = read_resume_state(tmp_path / "resume.pt")
    rest = of_kind(trained(small_settings(device=then), tmp_path, resume=state), StepDone)
    assert [done.step for done in rest] == list(range(state.step + 1, 19))
    np.testing.assert_allclose([done.loss for done in rest], whole[state.step :], rtol=0.03)


def test_a_recorded_training_goes_back() -> None:
    learner = recorded(epochs=4)
    good = deepcopy(TrainingReporter(learner, small_corpus(), None, None).state())
    first = [learner.learn().loss for _ in range(6)]
    learner.restore(good)
    np.testing.assert_allclose([learner.learn().loss for _ in range(6)], first, rtol=1e-4)


def test_work_that_cannot_be_recorded_is_done_by_pieces() -> None:
    there = torch.device("cuda")
    waiting, going = Graph(there), Graph(there)

    def wait(x: Tensor) -> tuple[Tensor]:
        dropped = F.dropout(x, 0.5)
        return (dropped * (2.0 if dropped.sum().item() >= 0 else 1.0),)

    def go(x: Tensor) -> tuple[Tensor]:
        return (F.dropout(x, 0.5) + 1,)

    for number in range(8):
        x = torch.full((1000,), float(number), device=there)
        assert set(waiting.run(wait, x)[0].tolist()) <= {0.0, 4.0 * number}
        assert set(going.run(go, x)[0].tolist()) <= {1.0, 2.0 * number + 1}
    assert not is_recorded(waiting)
    assert is_recorded(going)
