"""Steps whose loss or gradient is not a number, with others queued behind them."""

import math
from dataclasses import replace
from functools import partial
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


class Stumbling(Learner):
    """The state that the step after `good_steps` starts from is not a number, as often as it is begun."""

    good_steps = 0

    def begin_step(self) -> None:
        if self.step + self.queued == self.good_steps:
            self.hidden = (self.hidden[0] * math.nan, self.hidden[1] * math.nan)
        super().begin_step()


def stumbling_at(step: int) -> type[Stumbling]:
    return type("StumblingAt", (Stumbling,), {"good_steps": step - 1})


@pytest.mark.parametrize("step", [place for place in PLACES if place not in (1, 10)])  # epochs begin with zeros
def test_a_loss_that_is_not_a_number_is_told_as_ever(step: int, device: Any, tmp_path: Path) -> None:
    learner = stumbling_at(step)
    outcomes = []
    for ahead in (0, 4):
        run = tmp_path / str(ahead)
        make_learner = partial(device(ahead).learner, kind=learner) if ahead else learner
        events = trained(replace(HARD, keep_checkpoints=0), run, make_learner=make_learner)
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
def test_steps_behind_one_that_is_not_finite_change_nothing(what: str, step: int, device: Any) -> None:
    expected = weights_at(step - 1)
    learner = device(4).learner(HARD, small_corpus(), kind=stumbling_at(step) if what == "loss" else Learner)
    if what == "gradient":
        learner.model.fc.bias.register_hook(
            lambda gradient: gradient * math.inf if learner.step + learner.queued + 1 == step else gradient
        )
    told = [learner.learn(until=9) for _ in range(step - 1)]
    failed = learner.learn(until=9)
    assert (failed.step, learner.step, learner.queued) == (step, step - 1, 0)
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


def test_a_step_after_one_that_was_not_finite_counts_again(device: Any) -> None:
    learner = device(4).learner(small_settings(), small_corpus(), kind=stumbling_at(3))
    while math.isfinite(learner.learn(until=9).loss):
        pass
    learner.good_steps = -1
    learner.hidden = (learner.hidden[0].nan_to_num(), learner.hidden[1].nan_to_num())
    before = learner.weights()
    assert learner.learn().step == learner.step == 3
    assert any((before[name] != tensor).any() for name, tensor in learner.weights().items())
