"""Texts written side by side are those that their seeds write alone, or are not vouched for."""

import numpy as np
import pytest

from charrnn_tui.checkpoint.checkpoint import tensor_shapes
from charrnn_tui.sampling.distribution import SamplingSettings
from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.sampling.many_texts import can_write_many, write_many
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary("abcdefghijklmnopqrstuvwxyz \n")


def network(scale: float = 0.6) -> CharLSTM:
    random = np.random.default_rng(3)
    shapes = tensor_shapes(len(VOCABULARY), n_hidden=48, n_layers=2)
    return CharLSTM({name: random.normal(0, scale, shape).astype(np.float32) for name, shape in shapes.items()})


@pytest.mark.parametrize(
    "settings",
    [
        SamplingSettings(),
        SamplingSettings(top_k=5),
        SamplingSettings(top_k=1),
        SamplingSettings(temperature=0),
        SamplingSettings(temperature=0.5, top_k=100),
        SamplingSettings(temperature=2.0),
    ],
)
def test_each_text_is_the_one_that_its_seed_writes_alone(settings: SamplingSettings) -> None:
    model, seeds = network(), range(7, 47)
    texts = write_many(Sampler(model, VOCABULARY, settings, seed=0, prime="anna"), seeds, 50)
    assert sum(text is not None for text in texts) >= 30
    for seed, text in zip(seeds, texts, strict=True):
        alone = Sampler(model, VOCABULARY, settings, seed=seed, prime="anna")
        written = [next(alone) for _ in range(50)]
        if text is not None:
            assert text.ids == [character.token_id for character in written]
            assert text.bits == pytest.approx(sum(character.surprise_bits for character in written), abs=1e-2)


def test_what_hangs_on_the_last_bits_is_not_vouched_for() -> None:
    """Under zero weights all characters are equally likely, and rounding would decide which stands first."""
    texts = write_many(Sampler(network(scale=0.0), VOCABULARY, seed=0), range(8), 5)
    assert texts == [None] * 8


def test_nothing_can_be_written_many_times() -> None:
    texts = write_many(Sampler(network(), VOCABULARY, seed=0), range(3), 0)
    assert [text.ids for text in texts if text is not None] == [[], [], []]


def test_a_model_that_gives_no_numbers_is_refused() -> None:
    start = Sampler(network(), VOCABULARY, seed=0)
    start.logits[3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        write_many(start, range(8), 5)


@pytest.mark.parametrize(
    ("settings", "can"), [({}, True), ({"top_k": 3}, True), ({"top_p": 0.9}, False), ({"min_p": 0.1}, False)]
)
def test_settings_that_count_candidates_by_their_mass_write_alone(settings: dict, can: bool) -> None:
    assert can_write_many(SamplingSettings(**settings)) == can
