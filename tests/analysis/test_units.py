"""Units are ranked as a plain count of pairs ranks them."""

import numpy as np
import pytest

from charrnn_tui.analysis.reading import ReadBlock
from charrnn_tui.analysis.units import BINS, PLACES, UnitStudy, areas


def blocks_of(activations: np.ndarray, size: int = 100) -> list[ReadBlock]:
    """Activations (T, units), of one layer, as blocks of a text."""
    cells = np.arctanh(activations)[:, np.newaxis, :].astype(np.float32)
    return [
        ReadBlock(np.arange(begin, min(begin + size, len(cells))), cells[begin : begin + size], None, begin)
        for begin in range(0, len(cells), size)
    ]


def study_of(labels: np.ndarray, activations: np.ndarray) -> UnitStudy:
    study = UnitStudy(labels, 1, activations.shape[1])
    for block in blocks_of(activations):
        study.add(block)
    return study


def test_the_area_is_the_share_of_pairs_that_are_in_order() -> None:
    random = np.random.default_rng(0)
    labels = random.random(600) < 0.3
    activations = (random.integers(-9, 10, size=(600, 3)) / 10 + 0.003).astype(np.float64)  # in bins of their own
    ranked = study_of(labels, activations).ranked()
    for each in ranked:
        for half, found in ((slice(0, 300), each.area), (slice(300, 600), each.held_out)):
            values, with_it = activations[half, each.unit - 1], labels[half]
            yes, no = values[with_it][:, np.newaxis], values[~with_it]
            assert found == pytest.approx((yes > no).mean() + (yes == no).mean() / 2)
    assert [abs(each.area - 0.5) for each in ranked] == sorted((abs(each.area - 0.5) for each in ranked), reverse=True)


def test_a_unit_that_follows_the_property_comes_first_and_far_above_chance() -> None:
    random = np.random.default_rng(1)
    labels = np.sin(np.arange(4000) / 15) > 0.2
    activations = random.uniform(-0.9, 0.9, size=(4000, 40))
    activations[:, 17] = np.where(labels, -0.5, 0.5)  # inverted
    study = study_of(labels, activations)
    best = study.ranked()[0]
    assert (best.layer, best.unit, best.area, best.held_out) == (1, 18, 0.0, 0.0)
    assert study.share == pytest.approx(labels.mean())
    assert study.chance > 0.6  # the labels moved along: the unit's own rhythm counts
    places = study.highest(best)
    assert len(places) == PLACES
    assert not labels[[place for place, _ in places]].any()
    assert all(value == pytest.approx(0.5) for _, value in places)


def test_noise_is_as_good_as_chance() -> None:
    random = np.random.default_rng(2)
    labels = random.random(2000) < 0.4
    study = study_of(labels, random.uniform(-0.9, 0.9, size=(2000, 200)))
    best = study.ranked()[0]
    assert abs(best.area - 0.5) == pytest.approx(study.chance - 0.5, abs=0.05)
    assert abs(best.held_out - 0.5) < abs(best.area - 0.5)


def test_a_property_that_a_half_lacks_gives_no_area() -> None:
    labels = np.arange(400) < 100
    with pytest.raises(ValueError, match="half of the text"):
        study_of(labels, np.random.default_rng(0).uniform(-1, 1, size=(400, 2)) * 0.9).ranked()
    with pytest.raises(ValueError, match="half of the text"):
        areas(np.zeros((1, BINS), np.int64), np.ones((1, BINS), np.int64))


def test_a_span_is_ranked_on_the_whole_text() -> None:
    random = np.random.default_rng(3)
    labels = np.zeros(600, np.bool_)
    labels[40:80] = True
    activations = random.uniform(-0.9, 0.9, size=(600, 30))
    activations[:, 4] = np.where(labels, 0.8, 0.1)
    study = UnitStudy(labels, 1, 30, halves=False)
    for block in blocks_of(activations):
        study.add(block)
    best, second = study.ranked()[:2]
    assert (best.unit, best.area, best.held_out) == (5, 1.0, None)
    assert study.share == pytest.approx(40 / 600)
    assert abs(second.area - 0.5) < 0.25
    assert 0.5 < study.chance < 0.8  # spans of the same length elsewhere
