from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from charrnn_tui.tui.chart.series import LossCurves, LossSeries
from tests.tui.chart.falling_losses import run_of

LOSSES = st.floats(width=32, min_value=-100, max_value=100) | st.sampled_from([np.nan, np.inf, -np.inf])


def series_of(*losses: float) -> LossSeries:
    return LossSeries.of(range(1, len(losses) + 1), losses)


@settings(max_examples=60, deadline=None)
@given(
    losses=st.lists(LOSSES, max_size=400).map(lambda drawn: np.array(drawn, np.float32)),
    columns=st.integers(1, 30),
    zoom=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_columns_hold_the_exact_extremes_of_their_points(
    losses: NDArray[np.float32], columns: int, zoom: tuple[float, float]
) -> None:
    series = LossSeries.of(range(len(losses)), losses.tolist())
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


def test_losses_beyond_single_precision_are_gaps() -> None:
    columns = series_of(1e300, 2.0, 3e38, 3e38).columns(np.array([1.0, 2.0, 3.0, 5.0]))
    assert np.isnan(columns.high[0])
    assert columns.high[1] == 2
    assert columns.mean[2] == pytest.approx(3e38)


def test_the_lowest_loss_is_the_first_of_its_value() -> None:
    assert series_of(3.0, np.nan, 1.0, 2.0, 1.0).lowest == 2
    assert series_of(3.0, np.nan).lowest == 0
    assert series_of(np.nan).lowest is None
    assert series_of().lowest is None


def test_the_nearest_point_is_found_on_either_side() -> None:
    assert series_of().nearest(3) is None
    series = LossSeries.of([10, 20, 30], [1, 2, 3])
    assert [series.nearest(step) for step in (-5, 14, 16, 99)] == [0, 0, 1, 2]


@pytest.mark.parametrize("smoothing", [0.5, 0.9, 0.995])
@pytest.mark.parametrize("points", [1, 127, 128, 1000])
def test_smoothing_is_the_bias_corrected_moving_average(smoothing: float, points: int) -> None:
    losses = np.random.default_rng(1).normal(2, 0.5, points)
    losses[[place for place in (3, 400) if place < points]] = np.nan
    expected, average, weight = [], 0.0, 0.0
    for loss in losses.astype(np.float32):
        if np.isfinite(loss):
            average = smoothing * average + (1 - smoothing) * float(loss)
            weight = smoothing * weight + (1 - smoothing)
            expected.append(average / weight)
        else:
            expected.append(np.nan)
    np.testing.assert_allclose(series_of(*losses).smoothed(smoothing).losses, expected, rtol=1e-5)


def test_the_first_smoothed_losses_are_not_pulled_to_zero() -> None:
    curves = LossCurves.of(run_of([1, 2, 3], [4.0, 2.0, 1.0]), smoothing=0.5)
    assert curves.smoothed.losses.tolist() == pytest.approx([4.0, 8 / 3, 12 / 7])
    assert len(LossCurves.of(run_of([1, 2, 3], [4.0, 2.0, 1.0]), smoothing=0.0).smoothed) == 0


def test_the_step_beside_is_always_another_point() -> None:
    curves = LossCurves.of(run_of([10, 20, 30], [1, 2, 3]))
    assert curves.step_beside(20, 1, 0.1) == 30
    assert curves.step_beside(20, -1, 0.1) == 10
    assert curves.step_beside(30, 1, 0.1) == 30
    assert curves.step_beside(10, 1, 17.0) == 30
