"""A budget of time: what fits into it, and a plan that ends with it whatever the machine does meanwhile."""

import math
from collections.abc import Callable

import pytest

from charrnn_tui.run.budget import Budget, steps_within
from charrnn_tui.run.fitting import ENOUGH_STEPS, LEAST_BUDGET_STEPS, fit_to_budget
from charrnn_tui.run.settings import SettingsError, TrainSettings, settings_for

ANNA = 1_985_223  # characters


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_steps_leave_time_for_their_validations_and_the_last_one() -> None:
    assert steps_within(100.0, 1.0, 0.0, 10) == 100
    assert steps_within(100.0, 1.0, 5.0, 10) == 63  # 63 steps, 6 validations among them, one at the end
    assert steps_within(3.0, 1.0, 5.0, 10) == 0
    assert steps_within(-1.0, 1.0, 0.0, 10) == 0


def simulated(seconds: float, step_seconds: Callable[[float], float], guess: float, validation: float = 0.0) -> float:
    """When a training ends whose steps take what the function of the time says, planned first by a guess."""
    clock, every = Clock(), 40
    budget = Budget(seconds, clock=clock)
    step, steps, validating = 0, steps_within(seconds, guess, validation, every), 0.0
    clock.now += 0.02 * seconds  # until everything is built
    budget.begin(0)
    while step < steps:
        clock.now += step_seconds(budget.spent_seconds / seconds)
        step += 1
        if budget.due(step, steps):
            steps = budget.planned_steps(step, validating, validation, every)
        if step % every == 0 or step >= steps:
            clock.now += validation
            validating += validation
    return budget.spent_seconds / seconds


@pytest.mark.parametrize("guess", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("validation", [0.0, 1.0])
@pytest.mark.parametrize(
    "step_seconds",
    [
        lambda share: 0.1,
        lambda share: 0.1 + 0.1 * (share > 0.5),  # another program starts
        lambda share: 0.3 - 0.2 * (share > 0.3),  # another program ends
        lambda share: 0.1 * (1 + 0.5 * math.sin(20 * share)),
        lambda share: 0.1 + 0.05 * (share > 0.9),
    ],
)
@pytest.mark.parametrize("seconds", [60.0, 600.0])
def test_a_training_ends_with_its_budget_whatever_the_load(
    seconds: float, step_seconds: Callable[[float], float], guess: float, validation: float
) -> None:
    assert simulated(seconds, step_seconds, guess, validation) == pytest.approx(1.0, abs=0.05)


def test_a_pause_and_earlier_processes_count_as_they_should() -> None:
    clock = Clock()
    budget = Budget(100.0, spent_seconds=30.0, clock=clock)
    clock.now += 20
    budget.exclude(15)
    assert (budget.spent_seconds, budget.left_seconds) == (35.0, 65.0)


def test_a_training_without_a_budget_never_corrects_its_plan() -> None:
    clock = Clock()
    budget = Budget(math.inf, clock=clock)
    budget.begin(0)
    clock.now += 1e9
    assert not budget.due(10, 1000)
    assert budget.spent_seconds == 1e9


def fitted(seconds: float, each: float, *, preset: str = "quick", given: tuple[str, ...] = ()) -> TrainSettings:
    """A step at 512 units takes `each` seconds, at half the width a third of it."""
    settings = settings_for(preset, budget=seconds)
    budget = Budget(seconds, clock=Clock())
    return fit_to_budget(settings, ANNA, budget, lambda tried: each * (tried.n_hidden / 512) ** 1.6, given)


def test_a_short_budget_gets_a_smaller_model_and_all_of_them_the_steps_that_fit() -> None:
    for seconds in (60, 180, 600, 3600, 36_000):
        settings = fitted(seconds, 0.5)
        each = 0.5 * (settings.n_hidden / 512) ** 1.6
        assert settings.max_steps is not None
        assert 0.85 * seconds < settings.max_steps * each < seconds
        assert settings.max_steps >= ENOUGH_STEPS or settings.n_hidden == 128
        assert (settings.epochs - 1) * 558 < settings.max_steps <= settings.epochs * 558
        assert settings.print_every <= settings_for("quick").print_every
    assert (fitted(60, 0.5).n_hidden, fitted(60, 0.5).lr) == (128, 0.01)
    assert fitted(3600, 0.5).n_hidden == 512


def test_what_is_given_or_the_notebook_s_is_not_made_smaller() -> None:
    assert fitted(300, 0.5, given=("n_hidden",)).n_hidden == 512
    assert fitted(300, 0.5, preset="notebook").n_hidden == 512
    assert fitted(300, 0.5, given=("print_every",)).print_every == settings_for("quick").print_every


def test_a_budget_that_is_too_short_to_learn_anything_says_how_much_would_do() -> None:
    with pytest.raises(SettingsError, match=r"--budget: 5.0 s is time for 0 steps of 0.54 s.*; give at least \d+s"):
        fitted(5, 5.0)
    with pytest.raises(SettingsError) as caught:
        fitted(20, 0.5, given=("n_hidden",))
    enough = int(str(caught.value).partition("at least ")[2].partition("s")[0])
    settings = fitted(enough, 0.5, given=("n_hidden",))
    assert settings.max_steps is not None
    assert settings.max_steps >= LEAST_BUDGET_STEPS
