"""Which steps and losses an axis shows, and how they are written."""

import numpy as np
import pytest

from charrnn_tui.tui.chart.axes import (
    LossRange,
    StepWindow,
    fitted,
    round_ticks,
    stage,
    step_label,
    whole_run,
)


def test_ticks_are_round() -> None:
    assert round_ticks(1.23, 3.4, 5) == [1.5, 2.0, 2.5, 3.0]
    assert round_ticks(0, 2780, 4) == [0, 1000, 2000]


def test_steps_are_written_in_thousands() -> None:
    assert [step_label(step) for step in (0, 850, 1500, 12_400, 1_250_000)] == [
        "0",
        "850",
        "1.5k",
        "12.4k",
        "1.25M",
    ]


def test_the_step_axis_grows_in_stages() -> None:
    ends = [stage(step) for step in range(1, 10_001)]
    assert sorted(set(ends)) == [
        *(20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 500, 600, 800),
        *(1000, 1500, 2000, 3000, 4000, 5000, 6000, 8000, 10_000),
    ]


def test_the_step_axis_ends_with_the_run() -> None:
    assert whole_run(1, 2100, 2780) == StepWindow(0, 2780)
    assert whole_run(1, 100, 2780) == StepWindow(0, 100)
    assert whole_run(1, 2781, 2780) == StepWindow(0, 3000)


def test_a_run_that_starts_late_does_not_show_the_steps_before() -> None:
    assert whole_run(100_000, 100_150, None) == StepWindow(100_000, 100_150)


def test_the_loss_axis_stays_while_the_losses_fit() -> None:
    first = fitted(None, 1.2, 3.1, log=False)
    assert (first.bottom, first.top) == (1.0, 3.2)
    assert fitted(first, 1.1, 3.19, log=False) is first
    assert fitted(first, 1.1, 3.3, log=False).top > 3.3
    assert fitted(first, 1.2, 2.0, log=False).top < 2.5


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(("low", "high"), [(0, 0), (2, 2), (1e-7, 1e-7), (1.29999, 1.3), (0, 1e30), (-3, -2), (5, 5e3)])
def test_any_losses_get_a_range_with_ticks(low: float, high: float, log: bool) -> None:
    loss_range = fitted(None, low, high, log)
    assert loss_range.bottom < loss_range.top
    assert loss_range.ticks(5)
    assert np.isfinite(loss_range.dot_heights(np.array([loss_range.bottom, loss_range.top]), 40)).all()


def test_a_log_axis_has_round_ticks_too() -> None:
    assert LossRange(1, 5, log=True).ticks(5) == [1, 1.2, 1.5, 2, 2.5, 3, 4, 5]
