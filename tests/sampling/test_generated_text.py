"""A generated text stores every distribution, and every state can be computed again, to the bit."""

import random

import numpy as np
import pytest
import torch

from charrnn_tui.sampling.char_model import QUANTIZED_FROM, CharModel
from charrnn_tui.sampling.generated_text import CHUNK, STATE_EVERY, GeneratedText, WeightsGone
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import PLAIN, SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary
from tests.sampling.by_id import before
from tests.sampling.random_networks import TorchCharRNN

VOCABULARY = Vocabulary("\n abcdehnst")
TORCH = TorchCharRNN(len(VOCABULARY), 16, 2)
MODEL = CharModel(TORCH.checkpoint())
SETTINGS = SamplingSettings(temperature=0.8, top_k=4)
PRIME = "the cat"
LONG = 3000


def sampler(seed: int = 5, settings: SamplingSettings = SETTINGS, prime: str = PRIME) -> Sampler:
    return Sampler(MODEL, VOCABULARY, settings, seed=seed, prime=prime)


def page_of(length: int, seed: int = 5) -> tuple[GeneratedText, Sampler]:
    writer = sampler(seed)
    generated = GeneratedText(writer, PRIME, seed)
    for _ in range(length):
        generated.write(writer)
    return generated, writer


def go_on(generated: GeneratedText, count: int, settings: SamplingSettings = SETTINGS) -> str:
    """Let another sampler, made for nothing else, write on."""
    writer = sampler(99, settings)
    writer.restore(generated.snapshot_at(len(generated)))
    for _ in range(count):
        generated.write(writer)
    return generated.text


@pytest.fixture(scope="module")
def long_page() -> GeneratedText:
    return page_of(LONG)[0]


def test_a_fork_at_any_place_of_a_long_text_goes_on_as_if_it_had_run_from_the_start(long_page: GeneratedText) -> None:
    reference, random_places = page_of(LONG + 50)[0].text, random.Random(0)
    places = [0, 1, STATE_EVERY, CHUNK - 1, CHUNK, CHUNK + 1, LONG, *random_places.choices(range(LONG), k=40)]
    for place in places:
        assert go_on(long_page.fork(place), 50) == reference[: place + 50]


def test_a_fork_with_another_symbol_equals_a_run_from_the_start_with_that_symbol_forced(
    long_page: GeneratedText,
) -> None:
    random_places = random.Random(1)
    for place in random_places.choices(range(LONG), k=12):
        symbol = random_places.randrange(len(VOCABULARY))
        fork = long_page.fork(place)
        writer = sampler(0)
        writer.restore(fork.snapshot_at(place))
        fork.write(writer, symbol)
        for _ in range(40):
            fork.write(writer)
        straight = sampler()
        expected = [next(straight).character for _ in range(place)] + [straight.force(symbol).character]
        expected += [next(straight).character for _ in range(40)]
        assert fork.text == "".join(expected)
        assert fork.forced == [place]


def test_a_fork_stands_where_the_text_stood_to_the_bit_also_where_the_step_is_compiled() -> None:
    model = CharModel(TorchCharRNN(len(VOCABULARY), QUANTIZED_FROM, 2).checkpoint())
    model.wait_for_compiled_code()
    writer = Sampler(model, VOCABULARY, SETTINGS, seed=5, prime=PRIME)
    generated = GeneratedText(writer, PRIME, 5)
    for _ in range(2 * STATE_EVERY + 2):
        generated.write(writer)
    for place in (0, 1, STATE_EVERY - 1, STATE_EVERY, STATE_EVERY + 1, 2 * STATE_EVERY):
        stood = generated.fork(place).snapshot_at(place)
        np.testing.assert_array_equal(stood.logits, generated.logits_between(place, place + 1)[0])
        np.testing.assert_array_equal(stood.state.c, generated.snapshot_at(place).state.c)


def test_states_and_logits_are_equal_to_the_bit(long_page: GeneratedText) -> None:
    straight = sampler()
    for place in range(LONG):
        if place % 97 == 0 or place % STATE_EVERY == 0:
            found = long_page.snapshot_at(place)
            np.testing.assert_array_equal(found.state.h, straight.state.h)
            np.testing.assert_array_equal(found.state.c, straight.state.c)
            np.testing.assert_array_equal(found.logits, straight.logits)
            assert found.random_state["state"] == straight.snapshot().random_state["state"]
        next(straight)
    np.testing.assert_array_equal(long_page.snapshot_at(LONG).logits, straight.logits)


def test_the_kept_distributions_are_those_of_torch(long_page: GeneratedText) -> None:
    ids = VOCABULARY.encode(PRIME + long_page.text)
    expected, _ = TORCH.logits(ids[np.newaxis, :400])
    probabilities = torch.softmax(expected[0].double(), dim=-1).numpy()
    for position in (0, 1, 100, 350):
        own = before(long_page.distribution_at(position, PLAIN))
        np.testing.assert_allclose(own, probabilities[len(PRIME) + position - 1], atol=1e-5)


def test_a_fork_leaves_the_page_as_it_was_and_is_left_alone_by_it(long_page: GeneratedText) -> None:
    generated, writer = page_of(CHUNK + 40)
    fork = generated.fork(CHUNK + 20)
    before = generated.logits_between(0, len(generated)).copy()
    other = go_on(fork, 100, PLAIN)
    for _ in range(60):
        generated.write(writer)
    np.testing.assert_array_equal(generated.logits_between(0, len(before)), before)
    assert generated.text == long_page.text[: len(generated)]
    assert fork.text == other


def test_another_seed_from_some_place_on_is_another_continuation_that_can_be_had_again(
    long_page: GeneratedText,
) -> None:
    first, again, other = (go_on(long_page.fork(200, seed), 200) for seed in (7, 7, 8))
    assert first[:200] == long_page.text[:200]
    assert first == again != other
    fork = long_page.fork(200, 7)
    go_on(fork, 100)
    assert go_on(fork.fork(250), 150) == first


def test_settings_are_known_for_every_character() -> None:
    generated, writer = page_of(30)
    writer.settings = PLAIN
    for _ in range(20):
        generated.write(writer)
    assert [(change.position, change.value) for change in generated.settings] == [(0, SETTINGS), (30, PLAIN)]
    assert generated.settings_at(29) == SETTINGS
    assert generated.settings_at(30) == generated.settings_at(49) == PLAIN
    assert generated.distribution_at(29).kept == 4
    assert generated.distribution_at(29, PLAIN).kept == len(VOCABULARY)


def test_newer_weights_in_mid_text_are_remembered_and_those_long_gone_are_told() -> None:
    generated, writer = page_of(200)
    networks = [CharModel(TorchCharRNN(len(VOCABULARY), 16, 2, seed).checkpoint()) for seed in (1, 2)]
    for network in networks:
        generated.change_network(network, writer.state)
        new = Sampler(network, VOCABULARY, SETTINGS, seed=0)
        new.restore(writer.snapshot())
        writer = new
        for _ in range(150):
            generated.write(writer)
    np.testing.assert_array_equal(generated.snapshot_at(len(generated)).state.h, writer.state.h)
    assert generated.network is networks[1]
    assert generated.fork(210).network is networks[0]
    assert generated.distribution_at(10).kept == 4  # what it was is known all the same
    with pytest.raises(WeightsGone, match="newer ones came"):
        generated.snapshot_at(199)
    with pytest.raises(WeightsGone, match="newer ones came"):
        generated.fork(10)


def test_the_memory_is_what_the_documents_say(long_page: GeneratedText) -> None:
    vocabulary, hidden, layers = len(VOCABULARY), 16, 2
    stated = 4 * vocabulary + 8 * layers * hidden / STATE_EVERY + 16
    assert long_page.memory_bytes / LONG < stated * (1 + CHUNK / LONG)
