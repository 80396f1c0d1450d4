from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.sampling.settings import SamplingSettings
from tests.sampling.by_id import after, before

TEN = np.log([0.1, 0.3, 0.05, 0.2, 0.35])  # in order: ids 4, 1, 3, 0, 2


def kept(logits: np.ndarray, **settings: float) -> list[int]:
    return Distribution(np.asarray(logits), SamplingSettings(**settings)).candidates.tolist()


def test_without_settings_it_is_the_softmax_of_the_logits():
    logits = np.random.default_rng(0).normal(0, 3, 83).astype(np.float32)

    distribution = Distribution(logits)

    expected = torch.softmax(torch.from_numpy(logits).double(), 0).numpy()
    np.testing.assert_allclose(before(distribution), expected, rtol=1e-12)
    np.testing.assert_allclose(after(distribution), expected, rtol=1e-12)
    assert distribution.kept == 83
    assert distribution.kept_mass == 1


@pytest.mark.parametrize("top_k", [1, 5, 82, 83])
def test_top_k_gives_the_probabilities_of_the_notebooks_predict(top_k):
    logits = torch.from_numpy(np.random.default_rng(1).normal(0, 3, (1, 83)).astype(np.float32))
    p, top_ch = torch.softmax(logits, dim=1).topk(top_k)
    p, top_ch = p.numpy().squeeze(0), top_ch.numpy().squeeze(0)

    distribution = Distribution(logits.numpy()[0], SamplingSettings(top_k=top_k))

    assert distribution.candidates.tolist() == top_ch.tolist()
    np.testing.assert_allclose(after(distribution)[top_ch], p / p.sum(), rtol=1e-5)
    assert np.count_nonzero(after(distribution)) == top_k
    assert distribution.kept_mass == pytest.approx(float(p.sum()), rel=1e-5)


def test_top_k_keeps_exactly_k_where_candidates_tie_and_takes_the_lower_ids():
    assert kept(np.array([1.0, 2.0, 1.0, 2.0, 1.0]), top_k=3) == [1, 3, 0]


def test_top_k_beyond_the_alphabet_keeps_all():
    assert kept(TEN, top_k=1000) == [4, 1, 3, 0, 2]


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [(0.0, [4]), (0.34, [4]), (0.36, [4, 1]), (0.64, [4, 1]), (0.66, [4, 1, 3]), (0.96, [4, 1, 3, 0, 2])],
)
def test_top_p_keeps_the_fewest_whose_mass_reaches_it(top_p, expected):
    assert kept(TEN, top_p=top_p) == expected


def test_a_top_p_of_one_keeps_even_what_rounds_to_nothing():
    assert kept(np.array([0.0, -80.0, -800.0]), top_p=1.0) == [0, 1, 2]


@pytest.mark.parametrize(
    ("min_p", "expected"), [(0.0, [4, 1, 3, 0, 2]), (0.28, [4, 1, 3, 0]), (0.3, [4, 1, 3]), (0.86, [4]), (1.0, [4])]
)
def test_min_p_is_relative_to_the_likeliest(min_p, expected):
    assert kept(TEN, min_p=min_p) == expected


def test_top_p_is_taken_of_what_top_k_left():
    # 0.35 and 0.30 of 0.65 are 0.54 and 0.46: half the mass is reached by one, of the whole alphabet it takes two.
    assert kept(TEN, top_p=0.5) == [4, 1]
    assert kept(TEN, top_p=0.5, top_k=2) == [4]


def test_temperature_comes_before_top_p_and_min_p():
    # At temperature 0.5 the probabilities are squared: 0.44, 0.33, 0.15, 0.04, 0.01 of their sum.
    assert kept(TEN, top_p=0.75) == [4, 1, 3]
    assert kept(TEN, top_p=0.75, temperature=0.5) == [4, 1]
    assert kept(TEN, min_p=0.5) == [4, 1, 3]
    assert kept(TEN, min_p=0.5, temperature=0.5) == [4, 1]


def test_the_kept_are_renormalised_and_the_dropped_are_zero():
    distribution = Distribution(TEN, SamplingSettings(temperature=0.5, top_k=2))

    squares = np.array([0.35**2, 0.3**2])
    np.testing.assert_allclose(after(distribution)[[4, 1]], squares / squares.sum())
    assert after(distribution)[[0, 2, 3]].tolist() == [0, 0, 0]
    assert distribution.kept_mass == pytest.approx(0.2125 / 0.265)
    np.testing.assert_allclose(before(distribution), np.exp(TEN))


def test_temperature_zero_takes_the_first_of_the_likeliest():
    distribution = Distribution(np.array([1.0, 3.0, 3.0, 2.0]), SamplingSettings(temperature=0, top_k=3, top_p=0.9))

    assert distribution.candidates.tolist() == [1]
    assert after(distribution).tolist() == [0, 1, 0, 0]
    assert [distribution.choose(u) for u in (0.0, 0.5, 1 - 2**-53)] == [1, 1, 1]


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-3])
def test_a_tiny_temperature_is_as_good_as_greedy(temperature):
    distribution = Distribution(np.array([1.0, 3.0, 2.0]), SamplingSettings(temperature=temperature))

    assert after(distribution).tolist() == [0, 1, 0]


def test_a_huge_temperature_is_as_good_as_even():
    distribution = Distribution(np.array([1.0, 3.0, 2.0]), SamplingSettings(temperature=1e300))

    np.testing.assert_allclose(after(distribution), [1 / 3] * 3)


def test_entropy_and_surprise_are_in_bits():
    distribution = Distribution(np.log([0.5, 0.25, 0.125, 0.125]), SamplingSettings(top_k=2, temperature=0.5))

    assert distribution.entropy_bits == pytest.approx(1.75)
    assert distribution.entropy_after_bits == pytest.approx(-(0.8 * np.log2(0.8) + 0.2 * np.log2(0.2)))
    assert [
        distribution.statistics(token_id).surprise_bits for token_id in distribution.order.tolist()
    ] == pytest.approx([1, 2, 3, 3])
    assert [distribution.place_of(token_id) for token_id in range(4)] == [0, 1, 2, 3]


def test_surprise_stays_finite_where_the_probability_vanishes():
    distribution = Distribution(np.array([0.0, -2000.0]))

    assert distribution.before_at(1) == 0
    assert distribution.statistics(int(distribution.order[1])).surprise_bits == pytest.approx(2000 / np.log(2))


def test_an_alphabet_of_one_leaves_no_choice():
    distribution = Distribution(np.array([7.0]), SamplingSettings(temperature=2, top_k=5, top_p=0.5, min_p=0.5))

    assert distribution.choose(0.999) == 0
    assert distribution.entropy_bits == distribution.entropy_after_bits == 0
    assert distribution.statistics(0).surprise_bits == 0


def test_evenly_spaced_numbers_are_shared_out_as_the_probabilities_say():
    distribution = Distribution(TEN, SamplingSettings(temperature=1.3, top_k=4))
    grid = (np.arange(100_000) + 0.5) / 100_000

    counts = np.bincount([distribution.choose(u) for u in grid], minlength=5)

    np.testing.assert_allclose(counts / len(grid), after(distribution), atol=1.01e-5)


def test_larger_numbers_choose_less_likely_candidates():
    distribution = Distribution(TEN)

    assert [distribution.choose(u) for u in (0, 0.349, 0.351, 0.649, 0.651, 0.849, 0.851, 0.949, 0.951)] == [
        4,
        4,
        1,
        1,
        3,
        3,
        0,
        0,
        2,
    ]  # fmt: skip — one row reads as the line of numbers it is


def test_a_candidate_of_probability_zero_is_never_chosen():
    distribution = Distribution(np.array([0.0, -2000.0, -1.0]))

    assert {distribution.choose(u) for u in (0, 0.5, 1 - 2**-53)} == {0, 2}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="NaN or infinite"):
        Distribution(np.array([0.0, bad, 1.0]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -0.1}, "temperature is -0.1, it must be 0 or more and finite"),
        ({"temperature": float("nan")}, "temperature is nan, it must be 0 or more and finite"),
        ({"temperature": float("inf")}, "temperature is inf, it must be 0 or more and finite"),
        ({"temperature": 10**400}, f"temperature is {10**400}, it must be 0 or more and finite"),
        ({"top_k": 0}, "top_k is 0, it must be a whole number from 1 up, or none"),
        ({"top_k": 2.5}, "top_k is 2.5, it must be a whole number from 1 up, or none"),
        ({"top_p": 1.5}, "top_p is 1.5, it must be from 0 to 1, or none"),
        ({"top_p": float("nan")}, "top_p is nan, it must be from 0 to 1, or none"),
        ({"min_p": -1}, "min_p is -1, it must be from 0 to 1, or none"),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_value_and_its_range(settings, message):
    with pytest.raises(ValueError, match=message.split()[0]) as raised:
        SamplingSettings(**settings)

    assert str(raised.value) == message


LOGITS = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=40).map(lambda x: np.array(x, np.float32))
SHARES = st.none() | st.floats(0, 1)
SETTINGS = st.builds(
    SamplingSettings,
    temperature=st.just(0.0) | st.floats(0.01, 10),
    top_k=st.none() | st.integers(1, 50),
    top_p=SHARES,
    min_p=SHARES,
)


@given(LOGITS, SETTINGS)
def test_what_is_drawn_from_sums_to_one_and_holds_the_likeliest(logits, settings):
    distribution = Distribution(logits, settings)

    assert before(distribution).sum() == pytest.approx(1)
    assert after(distribution).sum() == pytest.approx(1)
    assert 1 <= distribution.kept <= len(logits)
    assert distribution.candidates[0] == logits.argmax()
    assert 0 < distribution.kept_mass <= 1
    assert (np.diff(before(distribution)[distribution.order]) <= 0).all()
    assert not after(distribution)[distribution.order[distribution.kept :]].any()
    assert 0 <= distribution.entropy_bits <= np.log2(len(logits)) + 1e-9


@given(LOGITS, SETTINGS, st.floats(0, 1, exclude_max=True))
def test_the_choice_is_a_candidate_that_can_be_drawn(logits, settings, u):
    distribution = Distribution(logits, settings)

    token_id = distribution.choose(u)
    place = distribution.place_of(token_id)

    assert token_id in distribution.candidates
    assert distribution.after_at(place) == pytest.approx(after(distribution)[token_id])
    assert distribution.after_at(place) > 0
    assert distribution.before_at(place) == before(distribution)[token_id]


@given(LOGITS, st.floats(0.01, 10), st.integers(1, 50), st.floats(0, 1), st.floats(0, 1))
def test_each_control_added_keeps_a_beginning_of_what_was_kept(logits, temperature, top_k, top_p, min_p):
    steps = [
        Distribution(logits, SamplingSettings(temperature)),
        Distribution(logits, SamplingSettings(temperature, top_k)),
        Distribution(logits, SamplingSettings(temperature, top_k, top_p)),
        Distribution(logits, SamplingSettings(temperature, top_k, top_p, min_p)),
    ]

    for wider, narrower in pairwise(steps):
        assert narrower.candidates.tolist() == wider.candidates[: narrower.kept].tolist()


@given(LOGITS, st.floats(0.05, 5), st.integers(1, 50), st.floats(0.01, 0.99), st.floats(0, 1))
def test_the_controls_one_after_the_other_as_dense_arithmetic(logits, temperature, top_k, top_p, min_p):
    p = np.exp((logits.astype(np.float64) - logits.max()) / temperature)
    order = np.argsort(-logits, kind="stable")
    p[order[top_k:]] = 0
    p /= p.sum()
    mass_before = np.concatenate([[0], p[order].cumsum()[:-1]])
    if np.abs(mass_before - top_p).min() < 1e-9:
        return  # on the edge rounding decides
    p[order[mass_before >= top_p]] = 0
    p /= p.sum()
    if np.abs(p / p.max() - min_p)[p < p.max()].min(initial=1) < 1e-9:
        return
    p[p < min_p * p.max()] = 0
    p /= p.sum()

    distribution = Distribution(logits, SamplingSettings(temperature, top_k, top_p, min_p))

    np.testing.assert_allclose(after(distribution), p, atol=1e-12)
