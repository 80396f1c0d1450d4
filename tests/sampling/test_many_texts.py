"""Texts that compiled code writes side by side are those that their seeds write alone."""

import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.sampling.char_model import QUANTIZED_FROM, CharModel, Floats, HiddenState
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.lstm_step import COMPILED
from charrnn_tui.sampling.many_texts import write_many
from charrnn_tui.sampling.pins import Pin
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.sampling.stops import Stop, StopWatch
from charrnn_tui.text.vocabulary import Vocabulary
from tests.compiled_needed import need

VOCABULARY = Vocabulary("abcdefghijklmnopqrstuvwxyz \n")


@pytest.fixture(autouse=True)
def compiled() -> None:
    need(COMPILED)


def checkpoint(scale: float = 0.1, n_hidden: int = QUANTIZED_FROM) -> Checkpoint:
    random = np.random.default_rng(3)
    shapes = tensor_shapes(len(VOCABULARY), n_hidden=n_hidden, n_layers=2)
    weights = {name: random.normal(0, scale, shape).astype(np.float32) for name, shape in shapes.items()}
    return Checkpoint(weights, VOCABULARY, n_hidden, 2)


def network(scale: float = 0.1) -> CharModel:
    return CharModel(checkpoint(scale))


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
@pytest.mark.parametrize(("scale", "threads"), [(0.1, 1), (0.1, 2), (0.0, 2)])
def test_each_text_is_the_one_that_its_seed_writes_alone(
    settings: SamplingSettings, scale: float, threads: int
) -> None:
    """Under zero weights all characters are equally likely: the last bits decide which stands first."""
    model, seeds = network(scale), range(7, 47)
    texts = write_many(Sampler(model, VOCABULARY, settings, seed=0, prime="anna"), seeds, 30, threads)
    for seed, text in zip(seeds, texts, strict=True):
        sampler = Sampler(model, VOCABULARY, settings, seed=seed, prime="anna")
        alone = GeneratedText(sampler, "anna", seed)
        for _ in range(30):
            alone.write(sampler)
        assert text.ids == list(alone.ids)
        assert text.bits == pytest.approx(alone.total_bits, abs=1e-6)


def test_a_model_whose_steps_are_not_compiled_is_refused() -> None:
    small = CharModel(checkpoint(n_hidden=QUANTIZED_FROM - 1))
    with pytest.raises(ValueError, match="one by one"):
        write_many(Sampler(small, VOCABULARY, seed=0), range(4), 5)


def test_nothing_can_be_written_many_times() -> None:
    texts = write_many(Sampler(network(), VOCABULARY, seed=0), range(3), 0)
    assert [text.ids for text in texts] == [[], [], []]


class Watched(CharModel):
    """Which threads step it, and how many texts each at once; `trip` may raise in one of them."""

    def __init__(self, trip: Callable[[], object] = lambda: None) -> None:
        super().__init__(checkpoint())
        self.texts: dict[int, int] = {}
        self.steps = 0
        self.trip = trip

    def step(
        self, ids: int | NDArray[np.integer], state: HiddenState, pins: Sequence[Pin] = ()
    ) -> tuple[Floats, HiddenState]:
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
    assert [text.ids for text in alone] == [text.ids for text in shared]


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


@pytest.mark.parametrize("threads", [1, 2])
def test_a_text_that_ends_early_ends_where_it_does_alone_and_the_others_go_on(threads: int) -> None:
    model, seeds, stop, length = network(), range(40), Stop(("e", "an"), 2), 60
    texts = write_many(Sampler(model, VOCABULARY, seed=0, prime="anna"), seeds, length, threads, stop)
    for seed, text in zip(seeds, texts, strict=True):
        sampler, watch, alone = Sampler(model, VOCABULARY, seed=seed, prime="anna"), StopWatch(stop), ""
        while len(alone) < length:
            alone += next(sampler).character
            if watch.ends_with(alone[-1]):
                break
        assert VOCABULARY.decode(text.ids) == alone
    assert len({len(text.ids) for text in texts}) > 5
