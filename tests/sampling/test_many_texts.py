"""Texts written side by side are those that their seeds write alone, or are not vouched for."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import tensor_shapes
from charrnn_tui.sampling.lstm import ROUNDED_FROM, CharLSTM, Floats, LSTMState
from charrnn_tui.sampling.lstm_step import COMPILED
from charrnn_tui.sampling.many_texts import write_many
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary
from tests.compiled_needed import need

VOCABULARY = Vocabulary("abcdefghijklmnopqrstuvwxyz \n")


def weights(scale: float = 0.6, n_hidden: int = 48) -> dict[str, Floats]:
    random = np.random.default_rng(3)
    shapes = tensor_shapes(len(VOCABULARY), n_hidden=n_hidden, n_layers=2)
    return {name: random.normal(0, scale, shape).astype(np.float32) for name, shape in shapes.items()}


def network(scale: float = 0.6, n_hidden: int = 48) -> CharLSTM:
    return CharLSTM(weights(scale, n_hidden))


@pytest.mark.parametrize(
    "settings",
    [
        SamplingSettings(),
        SamplingSettings(top_k=5),
        SamplingSettings(top_k=1),
        SamplingSettings(temperature=0),
        SamplingSettings(temperature=0.5, top_k=100),
        SamplingSettings(temperature=2.0),
        SamplingSettings(top_p=0.9),
        SamplingSettings(top_p=1.0, min_p=0.0),
        SamplingSettings(temperature=0.7, top_k=6, top_p=0.8, min_p=0.1),
        SamplingSettings(min_p=1.0),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_each_text_is_the_one_that_its_seed_writes_alone(settings: SamplingSettings, threads: int) -> None:
    model, seeds = network(), range(7, 47)
    texts = write_many(Sampler(model, VOCABULARY, settings, seed=0, prime="anna"), seeds, 50, threads)
    assert sum(text is not None for text in texts) >= 30
    for seed, text in zip(seeds, texts, strict=True):
        alone = Sampler(model, VOCABULARY, settings, seed=seed, prime="anna")
        written = [next(alone) for _ in range(50)]
        if text is not None:
            assert text.ids == [character.token_id for character in written]
            assert text.bits == pytest.approx(sum(character.surprise_bits for character in written), abs=1e-2)


@pytest.mark.parametrize("settings", [SamplingSettings(), SamplingSettings(temperature=0.7, top_k=6, top_p=0.8)])
@pytest.mark.parametrize("scale", [0.0, 0.1])
def test_compiled_code_writes_every_text_as_its_seed_does_alone(settings: SamplingSettings, scale: float) -> None:
    need(COMPILED)
    model, seeds = network(scale, n_hidden=ROUNDED_FROM), range(7, 47)
    texts = write_many(Sampler(model, VOCABULARY, settings, seed=0, prime="anna"), seeds, 30, 2)
    for seed, text in zip(seeds, texts, strict=True):
        alone = Sampler(model, VOCABULARY, settings, seed=seed, prime="anna")
        written = [next(alone) for _ in range(30)]
        assert text is not None
        assert text.ids == [character.token_id for character in written]
        assert text.bits == pytest.approx(sum(character.surprise_bits for character in written), abs=1e-6)


def test_a_network_without_numbers_is_refused_by_compiled_code_too() -> None:
    need(COMPILED)
    start = Sampler(network(0.1, n_hidden=ROUNDED_FROM), VOCABULARY, seed=0)
    start._logits = np.full(len(VOCABULARY), np.nan, np.float32)
    with pytest.raises(ValueError, match="NaN or infinite"):
        write_many(start, range(4), 5)


def test_what_hangs_on_the_last_bits_is_not_vouched_for() -> None:
    """Under zero weights all characters are equally likely, and rounding would decide which stands first."""
    texts = write_many(Sampler(network(scale=0.0), VOCABULARY, seed=0), range(8), 5)
    assert texts == [None] * 8


@pytest.mark.parametrize(
    ("border", "beside"),
    [
        (SamplingSettings(top_p=0.5), SamplingSettings(top_p=0.45)),
        (SamplingSettings(min_p=0.6), SamplingSettings(min_p=0.5)),
    ],
)
def test_a_text_whose_candidates_hang_on_the_last_bits_is_not_vouched_for(
    border: SamplingSettings, beside: SamplingSettings
) -> None:
    """Odds of 10 to 6 to 4: half of the mass is the first one's, and the second has 0.6 times the likeliest."""
    for settings, vouched in ((border, 0), (beside, 8)):
        start = Sampler(network(), VOCABULARY, settings, seed=0)
        start.logits[:] = -100.0
        start.logits[:3] = np.log([1.0, 0.6, 0.4])
        assert sum(text is not None for text in write_many(start, range(8), 1)) == vouched


def test_nothing_can_be_written_many_times() -> None:
    texts = write_many(Sampler(network(), VOCABULARY, seed=0), range(3), 0)
    assert [text.ids for text in texts if text is not None] == [[], [], []]


class Watched(CharLSTM):
    """Which threads step it, and how many texts each at once; `trip` may raise in one of them."""

    def __init__(self, trip: Callable[[], object] = lambda: None) -> None:
        super().__init__(weights())
        self.texts: dict[int, int] = {}
        self.steps = 0
        self.trip = trip

    def step(self, ids: int | NDArray[np.integer], state: LSTMState) -> tuple[Floats, LSTMState]:
        if np.ndim(ids):
            self.trip()
            self.texts[threading.get_ident()] = np.size(ids)
            self.steps += 1
        return super().step(ids, state)


@pytest.mark.parametrize(
    ("texts", "threads", "shares"),
    [(64, 1, [64]), (64, 2, [32, 32]), (33, 2, [16, 17]), (31, 2, [31]), (50, 9, [16, 17, 17]), (6, 2, [6])],
)
def test_threads_share_the_texts_where_each_has_enough(texts: int, threads: int, shares: list[int]) -> None:
    model = Watched()
    together = threading.Barrier(len(shares), timeout=60)  # a thread that is done at once would take a second share
    model.trip = together.wait
    assert len(write_many(Sampler(model, VOCABULARY, seed=0), range(texts), 3, threads)) == texts
    assert sorted(model.texts.values()) == shares


def test_texts_keep_their_places_whichever_thread_writes_them() -> None:
    start = Sampler(network(), VOCABULARY, seed=0)
    alone, shared = (write_many(start, range(40), 20, threads) for threads in (1, 2))
    pairs = [(one, other) for one, other in zip(alone, shared, strict=True) if one is not None and other is not None]
    assert len(pairs) >= 30
    assert all(one.ids == other.ids for one, other in pairs)


def test_an_interruption_ends_all_threads_soon() -> None:
    def interrupt() -> None:
        if model.steps >= 5:
            raise KeyboardInterrupt

    model = Watched(interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_many(Sampler(model, VOCABULARY, seed=0), range(32), 100_000, threads=2)
    assert model.steps < 100_000


@pytest.mark.parametrize("threads", [1, 2])
def test_a_model_that_gives_no_numbers_is_refused(threads: int) -> None:
    start = Sampler(network(), VOCABULARY, seed=0)
    start.logits[3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        write_many(start, range(40), 5, threads)
