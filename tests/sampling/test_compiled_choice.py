"""The compiled choice is that of `Distribution`."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.sampling.lstm_step import COMPILED, MOST_TOKENS, choose
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import PLAIN, SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary
from tests.compiled_needed import need
from tests.sampling.by_id import after
from tests.sampling.random_networks import TorchCharRNN
from tests.sampling.test_distribution import LOGITS, SETTINGS

NEXT_TO = 1e-12  # of the mass: nearer to a border than this, sums in another order may fall on its other side


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    need(COMPILED)


def on_a_border(distribution: Distribution, chosen: int, u: float) -> bool:
    place = distribution.place_of(chosen)
    ends = after(distribution)[distribution.order].cumsum()
    return min(abs(ends[place] - u), abs(ends[place] - distribution.after_at(place) - u)) < NEXT_TO


@given(LOGITS, SETTINGS, st.floats(0, 1, exclude_max=True))
def test_any_logits_under_any_settings(logits: np.ndarray, settings: SamplingSettings, u: float) -> None:
    distribution = Distribution(logits, settings)
    chosen = choose(logits, settings, u)
    assert chosen is not None
    assert chosen == distribution.choose(u) or on_a_border(distribution, chosen, u)


@pytest.mark.parametrize(
    "settings",
    [
        PLAIN,
        SamplingSettings(0.0),
        SamplingSettings(0.8, top_k=5),
        SamplingSettings(1.3, top_k=40, top_p=0.9),
        SamplingSettings(top_p=0.95),
        SamplingSettings(0.7, min_p=0.05),
        SamplingSettings(1.5, top_k=20, top_p=0.97, min_p=0.01),
    ],
)
@pytest.mark.parametrize("tokens", [1, 2, 83, 5000])
def test_a_thousand_draws_fall_where_they_should(settings: SamplingSettings, tokens: int) -> None:
    rng = np.random.default_rng(tokens)
    for row in rng.normal(0, 3, (1000 if tokens < 100 else 100, tokens)).astype(np.float32).round(1):  # many ties
        u = float(rng.random())
        assert choose(row, settings, u) == Distribution(row, settings).choose(u)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_are_left_to_whom_refuses_them(bad: float) -> None:
    assert choose(np.array([0.0, bad, 1.0], np.float32), PLAIN, 0.5) is None


def test_more_tokens_than_have_room_are_left_to_numpy() -> None:
    logits = np.zeros(MOST_TOKENS + 1, np.float32)
    assert choose(logits[1:], PLAIN, 0.75) == 3 * MOST_TOKENS // 4
    assert choose(logits, PLAIN, 0.75) is None


def test_a_sampler_writes_the_same_with_and_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model, vocabulary = CharModel(TorchCharRNN(30, 64, 2).checkpoint()), Vocabulary("abcdefghijklmnopqrstuvwxyz .,\n")

    def text(settings: SamplingSettings) -> list[int]:
        sampler = Sampler(model, vocabulary, settings, seed=3)
        return [written.token_id for written in islice(sampler, 200)]

    every = [PLAIN, SamplingSettings(0.0), SamplingSettings(0.7, top_k=4), SamplingSettings(1.2, top_p=0.8, min_p=0.02)]
    ours = [text(settings) for settings in every]
    monkeypatch.setattr(COMPILED, "library", None)
    assert ours == [text(settings) for settings in every]
