"""Reading primes that share their beginnings: as if each had been read alone, and with little work."""

import threading
from collections.abc import Sequence
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.sampling.char_model import QUANTIZED_FROM, CharModel, HiddenState
from charrnn_tui.sampling.pins import Pin
from charrnn_tui.sampling.prime_reader import STATE_EVERY, PrimeReader
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary
from tests.sampling.random_networks import TorchCharRNN

VOCABULARY = Vocabulary("\nabcd")
LONG = "abcdabdc" * 40


class CountingLSTM(CharModel):
    """Knows how many characters it has read."""

    characters = 0

    def advance(self, ids: "int | np.ndarray", state: HiddenState, pins: Sequence[Pin] = ()) -> HiddenState:
        self.characters += 1
        return super().advance(ids, state, pins)


@pytest.fixture(scope="module")
def model() -> CountingLSTM:
    return CountingLSTM(TorchCharRNN(len(VOCABULARY), n_hidden=8, n_layers=2).checkpoint())


def assert_stands_behind(sampler: Sampler, prime: str) -> None:
    known = "".join(character for character in prime if character in VOCABULARY.index)
    plain = Sampler(sampler.model, VOCABULARY, seed=0, prime=known)
    np.testing.assert_array_equal(sampler.logits, plain.logits)
    np.testing.assert_array_equal(sampler.state.h, plain.state.h)
    np.testing.assert_array_equal(sampler.state.c, plain.state.c)
    sampled = [list(islice(each, 12)) for each in (sampler, plain)]
    assert sampled[0] == sampled[1]


PRIMES = st.lists(
    st.builds(
        lambda length, tail: LONG[:length] + tail,
        st.integers(0, len(LONG)) | st.sampled_from([127, 128, 129, 255, 256, 257]),
        st.text("\nabcdé", max_size=5),
    ),
    min_size=1,
    max_size=5,
)


@given(PRIMES)
def test_a_prime_after_others_is_read_to_the_bit_as_if_alone(model: CountingLSTM, primes: list[str]) -> None:
    reader = PrimeReader(model, VOCABULARY)
    for prime in primes:
        assert_stands_behind(reader.read(prime), prime)


def test_large_models_read_a_prime_to_the_bit_as_if_alone() -> None:
    """Their logits are computed by compiled code."""
    large = CharModel(TorchCharRNN(len(VOCABULARY), QUANTIZED_FROM, 1).checkpoint())
    large.wait_for_compiled_code()
    assert_stands_behind(PrimeReader(large, VOCABULARY).read(LONG), LONG)


def test_one_more_character_costs_one_step(model: CountingLSTM) -> None:
    reader = PrimeReader(model, VOCABULARY)
    reader.read(LONG)
    before = model.characters
    reader.read(LONG + "a")
    assert model.characters == before + 3  # the empty prime that a sampler starts with, the last character, this one


def test_a_change_in_the_middle_costs_what_follows_it(model: CountingLSTM) -> None:
    reader = PrimeReader(model, VOCABULARY)
    reader.read(LONG)
    before = model.characters
    place = len(LONG) - 40
    reader.read(LONG[:place] + "x" + LONG[place:])
    assert model.characters - before <= 40 + STATE_EVERY + 1


@given(st.text("\nabcd", max_size=20), st.integers(0, 80))
def test_the_greedy_continuation_is_what_a_sampler_at_temperature_0_writes(
    model: CountingLSTM, prime: str, most: int
) -> None:
    predicted = PrimeReader(model, VOCABULARY).predict(prime, most)
    plain = Sampler(model, VOCABULARY, SamplingSettings(temperature=0), seed=7, prime=prime)
    written = "".join(sampled.character for sampled in islice(plain, most))
    assert written.startswith(predicted)
    assert len(predicted) == most or predicted.endswith("\n")
    assert "\n" not in predicted.strip("\n")


def test_who_stops_listening_ends_the_reading_and_what_was_read_is_kept(model: CountingLSTM) -> None:
    reader = PrimeReader(model, VOCABULARY)

    def listen(done: int) -> None:
        if done:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        reader.read(LONG, listen)
    heard: list[int] = []
    before = model.characters
    assert_stands_behind(reader.read(LONG, heard.append), LONG)
    assert heard == [0, 2 * STATE_EVERY]
    assert model.characters - before <= len(LONG) * 2 - STATE_EVERY + 30  # the plain sampler's reading is among it


def test_threads_that_read_the_same_prime_share_the_work(model: CountingLSTM) -> None:
    reader = PrimeReader(model, VOCABULARY)
    before = model.characters
    samplers: list[Sampler] = []
    threads = [threading.Thread(target=lambda: samplers.append(reader.read(LONG))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model.characters - before == len(LONG) - 1 + 4 + 4  # their empty primes, their last characters
    for sampler in samplers:
        assert_stands_behind(sampler, LONG)
