"""Steps whose loss or gradient is not a number, with others queued behind them."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from charrnn_tui.run.events import AlarmRaised, RunFinished
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.resume_state import read_resume_state
from tests.training.hard_trainings import HARD, PLACES, figures, weights_at
from tests.training.small_trainings import of_kind, small_corpus, small_settings, trained


def stumbling(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """The state that one step starts from is not a number."""
    begin = Learner._begin_step

    def accident(self: Learner) -> None:
        if self.step + self.under_way + 1 == step:
            self._hidden = tuple(state * math.nan for state in self._hidden)  # type: ignore[assignment]  # a pair still
        begin(self)

    monkeypatch.setattr(Learner, "_begin_step", accident)


@pytest.mark.parametrize("step", [place for place in PLACES if place not in (1, 10)])  # epochs begin with zeros
def test_a_loss_that_is_not_a_number_is_told_as_ever(
    step: int, device: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stumbling(monkeypatch, step)
    outcomes = []
    for ahead in (0, 4):
        run = tmp_path / str(ahead)
        if ahead:
            device(ahead)
        events = trained(replace(HARD, keep_checkpoints=0), run)
        alarm = of_kind(events, AlarmRaised)[0]
        state = read_resume_state(run / "resume.pt")
        told = figures(events)
        assert math.isnan(told.pop()[2])
        assert (alarm.kind, alarm.step) == ("nan", step)
        hidden = [tensor.tolist() for tensor in state.hidden]
        weights = {name: tensor.tolist() for name, tensor in state.model.items()}
        outcomes.append((told, alarm.message, of_kind(events, RunFinished)[0].step, state.step, hidden, weights))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("what", ["loss", "gradient"])
@pytest.mark.parametrize("step", range(2, 8))
def test_steps_behind_one_that_is_not_finite_change_nothing(
    what: str, step: int, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights_at(step - 1)
    device(4)
    learner = Learner(HARD, small_corpus())
    if what == "loss":
        stumbling(monkeypatch, step)
    else:
        learner.model.fc.bias.register_hook(
            lambda gradient: gradient * math.inf if learner.step + learner.under_way + 1 == step else gradient
        )
    told = [learner.learn(until=9) for _ in range(step - 1)]
    failed = learner.learn(until=9)
    assert (failed.step, learner.step, learner.under_way) == (step, step - 1, 0)
    assert not math.isfinite(failed.loss + failed.grad_norm)
    assert math.isfinite(failed.loss) == (what == "gradient")
    assert learner.loss == told[-1].loss
    assert failed.lr == learner.lr
    for name, tensor in learner.weights().items():
        np.testing.assert_array_equal(tensor, expected[name])
    if what == "gradient":  # else what it starts from is the accident
        waiting = Learner(HARD, small_corpus())
        while waiting.step < step - 1:
            waiting.learn()
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(learner.hidden, waiting.hidden, strict=True))
    states = learner.optimizer.state_dict()["state"].values()
    assert {float(state["step"]) for state in states} == {step - 1}
    assert all(state["exp_avg"].isfinite().all() for state in states)


def test_a_step_after_one_that_was_not_finite_counts_again(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as once:
        stumbling(once, 3)
        device(4)
        learner = Learner(small_settings(), small_corpus())
        while math.isfinite(learner.learn(until=9).loss):
            pass
    learner._hidden = tuple(state.nan_to_num() for state in learner._hidden)  # type: ignore[assignment]  # a pair still
    before = learner.weights()
    assert learner.learn().step == learner.step == 3
    assert any((before[name] != tensor).any() for name, tensor in learner.weights().items())
