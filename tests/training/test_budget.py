"""A training with a budget: its plan follows the time that steps take, and is kept when it is resumed."""

from functools import partial
from pathlib import Path

import pytest

from charrnn_tui.run.budget import Budget
from charrnn_tui.run.control import AddEpochs, Control, Pause, Request, Resume, Stop
from charrnn_tui.run.events import Event, PlanChanged, RunFinished, RunPaused, StepDone
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.resume_state import read_resume_state
from charrnn_tui.training.schedule import FLOOR
from charrnn_tui.training.trial import step_seconds
from tests.training.small_trainings import asking, of_kind, small_corpus, small_settings, trained

BUDGETED = partial(small_settings, budget=100.0, epochs=4, max_steps=30, schedule="one-cycle", print_every=1000)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def learner_with(clock: Clock, seconds: float) -> type[Learner]:
    """Its steps take so long by this clock."""

    class Slow(Learner):
        def learn(self, until: int = 0) -> StepDone:
            clock.now += seconds
            return super().learn(until)

    return Slow


def in_budget(
    seconds: float, directory: Path | None = None, control: Control | None = None, clock: Clock | None = None
) -> list[Event]:
    """The events of a training that has 100 seconds and was planned to have 30 steps."""
    clock = clock or Clock()
    budget = Budget(100.0, clock=clock)
    return trained(BUDGETED(), directory, control, make_learner=learner_with(clock, seconds), budget=budget)


@pytest.mark.parametrize(("seconds", "steps"), [(1.0, 100), (2.0, 50), (10.0, 10), (3.3, 30)])
def test_the_plan_is_what_fits_into_the_budget_and_the_schedule_ends_with_it(seconds: float, steps: int) -> None:
    events = in_budget(seconds)
    done = of_kind(events, StepDone)
    assert len(done) == pytest.approx(steps, abs=1)
    assert done[-1].lr == pytest.approx(FLOOR * 0.01, rel=0.1)
    plans = of_kind(events, PlanChanged)
    assert {plan.plan for plan in plans} <= {"budget"}
    assert bool(plans) is (seconds != 3.3)
    assert all(plan.epochs == -(-plan.steps // 9) for plan in plans)
    assert of_kind(events, RunFinished)[0].state == "finished"


def test_a_pause_takes_nothing_of_the_budget() -> None:
    clock = Clock()

    class Resting(Control):
        def wait(self) -> Request:
            clock.now += 1000.0
            return super().wait()

    control = Resting()
    for request in (Pause(), Resume()):
        control.request(request)
    events = in_budget(2.0, control=control, clock=clock)
    assert of_kind(events, RunPaused)
    assert len(of_kind(events, StepDone)) == pytest.approx(50, abs=1)


def test_a_resumed_training_keeps_its_plan_and_has_the_rest_of_the_time(tmp_path: Path) -> None:
    clock, control = Clock(), Control()
    begun = partial(trained, BUDGETED(max_steps=50), tmp_path, control, asking(control, 20, Stop()))
    events = begun(make_learner=learner_with(clock, 2.0), budget=Budget(100.0, clock=clock))
    assert len(of_kind(events, StepDone)) == 20
    state = read_resume_state(tmp_path / "resume.pt")
    assert (state.spent_seconds, state.settings["budget"]) == (40.0, 100.0)
    assert state.settings["max_steps"] == pytest.approx(50, abs=1)
    rest = partial(trained, TrainSettings.from_json(state.settings), None, resume=state)
    clock = Clock()
    as_fast = rest(make_learner=learner_with(clock, 2.0), budget=Budget(100.0, state.spent_seconds, clock))
    assert len(of_kind(as_fast, StepDone)) == pytest.approx(30, abs=1)
    clock = Clock()
    slower = rest(make_learner=learner_with(clock, 4.0), budget=Budget(100.0, state.spent_seconds, clock))
    assert len(of_kind(slower, StepDone)) == pytest.approx(15, abs=1)


def test_more_epochs_are_more_than_the_budget() -> None:
    control, clock = Control(), Clock()
    asked = asking(control, 3, AddEpochs(2))
    events = trained(
        BUDGETED(), None, control, asked, make_learner=learner_with(clock, 10.0), budget=Budget(100.0, clock=clock)
    )
    assert of_kind(events, PlanChanged)[-1].plan == "more epochs"
    assert len(of_kind(events, StepDone)) == 9 * of_kind(events, PlanChanged)[-1].epochs


def test_a_trial_takes_the_time_of_a_step_and_no_random_number_of_the_run() -> None:
    settings, corpus = small_settings(drop_prob=0.5), small_corpus()
    expected = Learner(settings, corpus).learn().loss
    assert 0 < step_seconds(settings, corpus) < 10
    assert Learner(settings, corpus).learn().loss == expected
    assert step_seconds(small_settings(val_frac=0.9, seq_length=1, batch_size=1), corpus) > 0
