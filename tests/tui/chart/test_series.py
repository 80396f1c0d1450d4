from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn_tui.tui.chart.series import LossCurves, LossSeries, SmoothedLosses

LOSSES = st.floats(width=32, min_value=-100, max_value=100) | st.sampled_from([np.nan, np.inf, -np.inf])


def series_of(*losses: float) -> LossSeries:
    series = LossSeries()
    series.append(range(1, len(losses) + 1), losses)
    return series


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(st.lists(LOSSES, max_size=40), max_size=12),
    columns=st.integers(1, 30),
    zoom=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_columns_hold_the_exact_extremes_of_their_points(
    batches: list[list[float]], columns: int, zoom: tuple[float, float]
) -> None:
    series = LossSeries()
    for batch in batches:
        series.append(range(len(series), len(series) + len(batch)), batch)
    losses = np.array([loss for batch in batches for loss in batch], dtype=np.float32)
    edges = np.linspace(min(zoom) * len(losses), max(zoom) * len(losses) + 1, columns + 1)
    found = series.columns(edges)
    for column, (start, stop) in enumerate(pairwise(edges)):
        points = losses[[start <= step < stop for step in range(len(losses))]]
        finite = points[np.isfinite(points)]
        assert found.points[column] == len(points)
        if not len(finite):
            assert np.isnan([found.low[column], found.high[column], found.mean[column]]).all()
        else:
            assert (found.low[column], found.high[column]) == (finite.min(), finite.max())
            assert found.mean[column] == pytest.approx(finite.mean(dtype=np.float64), abs=1e-3)


def test_points_added_one_by_one_or_at_once_are_the_same() -> None:
    losses = np.random.default_rng(0).normal(2, 1, 1000).astype(np.float32)
    at_once, one_by_one = series_of(*losses), LossSeries()
    for step, loss in enumerate(losses, 1):
        one_by_one.append([step], [loss])
    edges = np.linspace(0, 1001, 8)
    for found, expected in zip(
        vars(one_by_one.columns(edges)).values(), vars(at_once.columns(edges)).values(), strict=True
    ):
        assert np.array_equal(found, expected)


def test_losses_beyond_single_precision_are_gaps() -> None:
    columns = series_of(1e300, 2.0, 3e38, 3e38).columns(np.array([1.0, 2.0, 3.0, 5.0]))
    assert np.isnan(columns.high[0])
    assert columns.high[1] == 2
    assert np.isnan(columns.mean[2])


def test_a_rewritten_past_replaces_what_was_there() -> None:
    series = series_of(*range(100))
    series.append([51, 52], [7.0, 8.0])
    assert len(series) == 52
    assert series.columns(np.array([0.0, 53.0])).high[0] == 49
    assert series.losses[-2:].tolist() == [7, 8]


def test_the_lowest_loss_is_known_after_each_change() -> None:
    series = series_of(3.0, np.nan, 1.0, 2.0, 1.0)
    assert series.lowest == 2
    series.rewind(3)
    assert series.lowest == 0
    series.append([9], [np.nan])
    assert series.lowest == 0
    assert series_of(np.nan).lowest is None


def test_steps_that_do_not_increase_are_refused() -> None:
    with pytest.raises(ValueError, match="5 follows 5"):
        LossSeries().append([4, 5, 5], [1, 1, 1])


def test_a_missing_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="2 steps for 1 losses"):
        LossSeries().append([4, 5], [1])


def test_the_nearest_point_is_found_on_either_side() -> None:
    series = LossSeries()
    assert series.nearest(3) is None
    series.append([10, 20, 30], [1, 2, 3])
    assert [series.nearest(step) for step in (-5, 14, 16, 99)] == [0, 0, 1, 2]


@pytest.mark.parametrize("smoothing", [0.5, 0.9, 0.995])
@pytest.mark.parametrize("batch", [1, 7, 128, 1000])
def test_smoothing_is_the_bias_corrected_moving_average(smoothing: float, batch: int) -> None:
    losses = np.random.default_rng(1).normal(2, 0.5, 1000)
    losses[[3, 400]] = np.nan
    expected, average, weight = [], 0.0, 0.0
    for loss in losses.astype(np.float32):
        if np.isfinite(loss):
            average = smoothing * average + (1 - smoothing) * float(loss)
            weight = smoothing * weight + (1 - smoothing)
            expected.append(average / weight)
        else:
            expected.append(np.nan)
    smoothed = SmoothedLosses(smoothing)
    for start in range(0, 1000, batch):
        smoothed.append(range(start, min(1000, start + batch)), losses[start : start + batch])
    np.testing.assert_allclose(smoothed.series.losses, expected, rtol=1e-5)


def test_smoothing_goes_on_from_a_rewritten_past() -> None:
    losses = np.linspace(4, 1, 300)
    straight, resumed = SmoothedLosses(0.9), SmoothedLosses(0.9)
    straight.append(range(300), losses)
    resumed.append(range(250), losses[:250] + np.where(np.arange(250) < 200, 0, 1))
    resumed.append(range(200, 300), losses[200:])
    np.testing.assert_allclose(resumed.series.losses, straight.series.losses, rtol=1e-5)


def test_a_resumed_run_voids_the_validations_after_its_checkpoint() -> None:
    curves = LossCurves()
    curves.add_losses(range(1, 101), np.full(100, 2.0))
    curves.validation.append([50, 90], [2.0, 1.0])
    curves.add_losses([61, 62], [1.9, 1.9])
    assert curves.validation.steps.tolist() == [50]
    assert curves.validation.lowest == 0


def test_changing_the_smoothing_redoes_the_whole_curve() -> None:
    curves = LossCurves()
    curves.add_losses([1, 2, 3], [4.0, 2.0, 1.0])
    curves.smooth(0.5)
    assert curves.smoothed.series.losses.tolist() == pytest.approx([4.0, 8 / 3, 12 / 7])
    curves.smooth(0.0)
    assert len(curves.smoothed.series) == 0


def test_the_step_beside_is_always_another_point() -> None:
    curves = LossCurves()
    curves.add_losses([10, 20, 30], [1, 2, 3])
    assert curves.step_beside(20, 1, 0.1) == 30
    assert curves.step_beside(20, -1, 0.1) == 10
    assert curves.step_beside(30, 1, 0.1) == 30
    assert curves.step_beside(10, 1, 17.0) == 30
