from itertools import islice

import numpy as np
import pytest
import torch

from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.sampling.sampler import SampledCharacter, Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary
from tests.sampling.by_id import after, before
from tests.sampling.random_networks import TorchCharRNN

VOCABULARY = Vocabulary("\n abcdehnst")
NETWORK = TorchCharRNN(len(VOCABULARY), 16, 2)
MODEL = CharModel(NETWORK.checkpoint())


def sampler(**options: object) -> Sampler:
    return Sampler(MODEL, VOCABULARY, **{"seed": 42, "prime": "the cat", **options})


def text(characters: Sampler, length: int) -> str:
    return "".join(sampled.character for sampled in islice(characters, length))


def test_the_same_seed_and_settings_give_the_same_text():
    settings = SamplingSettings(temperature=0.8, top_k=5)

    assert text(sampler(settings=settings), 200) == text(sampler(settings=settings), 200)


def test_another_seed_gives_another_text():
    assert text(sampler(seed=1), 100) != text(sampler(seed=2), 100)


def test_the_text_is_what_the_notebooks_loop_gives_with_the_same_random_numbers():
    random = np.random.Generator(np.random.PCG64(42))
    settings = SamplingSettings(top_k=3)
    ids = VOCABULARY.encode("the cat").tolist()
    for _ in range(60):
        logits, _ = NETWORK.logits(np.array([ids]))
        p, top_ch = torch.softmax(logits[0, -1].double(), 0).topk(3)
        cumulative = (p / p.sum()).cumsum(0).numpy()
        ids.append(int(top_ch[np.searchsorted(cumulative, random.random(), side="right")]))

    assert "the cat" + text(sampler(settings=settings), 60) == VOCABULARY.decode(ids)


def test_greedy_takes_the_likeliest_each_time():
    ids = VOCABULARY.encode("the cat").tolist()
    for _ in range(40):
        ids.append(int(NETWORK.logits(np.array([ids]))[0][0, -1].argmax()))

    assert "the cat" + text(sampler(settings=SamplingSettings(temperature=0)), 40) == VOCABULARY.decode(ids)


def test_the_seed_does_not_matter_at_temperature_zero():
    greedy = SamplingSettings(temperature=0)

    assert text(sampler(settings=greedy, seed=1), 50) == text(sampler(settings=greedy, seed=2), 50)


def ranks(stream: Sampler, length: int) -> list[int]:
    return [stream.distribution.statistics(next(stream).token_id).rank for _ in range(length)]


def test_a_setting_changed_in_mid_stream_acts_on_the_next_character_and_on_none_before():
    wide, narrow = SamplingSettings(temperature=1.5), SamplingSettings(temperature=1.5, top_k=1)
    unchanged = text(sampler(settings=wide), 100)
    stream = sampler(settings=wide)

    before = text(stream, 50)
    stream.settings = narrow

    assert before == unchanged[:50]
    assert ranks(stream, 50) == [1] * 50
    assert max(ranks(sampler(settings=wide), 50)) > 1


def test_after_greedy_characters_the_random_numbers_are_where_they_would_have_been():
    stream = sampler(settings=SamplingSettings(temperature=0))
    text(stream, 10)
    expected = np.random.Generator(np.random.PCG64(42)).random(11)[10]

    stream.settings = SamplingSettings()
    token_id = stream.distribution.choose(expected)

    assert next(stream).token_id == token_id


def test_a_generated_text_primed_again_has_the_same_future():
    stream = sampler()
    generated = text(stream, 30)
    again = sampler(prime="the cat" + generated)

    np.testing.assert_array_equal(before(again.distribution), before(stream.distribution))


def test_the_statistics_of_a_sampled_character_are_those_of_the_distribution_it_was_drawn_from():
    settings = SamplingSettings(temperature=0.7, top_k=4)
    stream = sampler(settings=settings)
    for _ in range(20):
        distribution = stream.distribution
        sampled = next(stream)
        statistics = distribution.statistics(sampled.token_id)

        assert sampled.character == VOCABULARY.tokens[sampled.token_id]
        assert statistics.probability == before(distribution)[sampled.token_id]
        assert statistics.chosen_probability == pytest.approx(after(distribution)[sampled.token_id])
        assert statistics.surprise_bits == pytest.approx(-np.log2(statistics.probability))
        assert statistics.entropy_bits == distribution.entropy_bits
        assert statistics.rank == 1 + np.count_nonzero(before(distribution) > statistics.probability)
        assert statistics.rank <= 4


def test_the_distribution_shown_is_the_one_drawn_from():
    stream = sampler(settings=SamplingSettings(top_k=2))
    logits, _ = NETWORK.logits(VOCABULARY.encode("the cat")[np.newaxis])

    expected = Distribution(logits[0, -1].numpy(), SamplingSettings(top_k=2))

    np.testing.assert_allclose(after(stream.distribution), after(expected), rtol=1e-4)
    stream.settings = SamplingSettings(top_k=1)
    assert stream.distribution.kept == 1


def test_an_empty_prime_starts_as_after_a_line_break():
    assert text(sampler(prime=""), 50) == text(sampler(prime="\n"), 50)


def test_an_empty_prime_starts_from_the_first_token_where_there_is_no_line_break():
    letters = Vocabulary("abcdefghijk")

    assert text(Sampler(MODEL, letters, seed=3), 50) == text(Sampler(MODEL, letters, seed=3, prime="a"), 50)


def test_unknown_characters_of_the_prime_are_named_with_their_positions():
    with pytest.raises(UnknownCharacters) as raised:
        sampler(prime="thé cat é ☃")

    assert raised.value.positions == {"é": [2, 8], "☃": [10]}
    assert "U+00E9" in str(raised.value)
    assert "U+2603" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_snapshot_brings_back_the_very_continuation():
    stream = sampler()
    text(stream, 20)
    point = stream.snapshot()
    first = list(islice(stream, 40))

    stream.restore(point)
    second = list(islice(stream, 40))
    other = sampler(prime="ban", seed=7)
    other.restore(point)

    assert first == second == list(islice(other, 40))
    assert all(isinstance(sampled, SampledCharacter) for sampled in first)


def test_another_sampler_at_a_snapshot_writes_the_very_continuation_and_leaves_the_original_where_it_stood():
    stream = sampler(settings=SamplingSettings(top_k=4))
    text(stream, 20)
    other = sampler(settings=SamplingSettings(top_k=4))
    other.restore(stream.snapshot())
    first = text(other, 40)
    other.settings = SamplingSettings(temperature=0)

    assert text(stream, 40) == first


def test_two_forks_of_one_point_do_not_touch_each_other():
    stream = sampler()
    point = stream.snapshot()
    alone = text(stream, 40)
    left, right = sampler(), sampler()
    left.restore(point)
    right.restore(point)

    pairs = [(next(left).character, next(right).character) for _ in range(40)]

    assert "".join(one for one, _ in pairs) == "".join(two for _, two in pairs) == alone


def test_a_reseeded_fork_goes_its_own_way_from_the_same_point():
    stream = sampler(settings=SamplingSettings(temperature=1.5))
    point = stream.snapshot()
    shown = before(stream.distribution)
    first = text(stream, 60)

    stream.restore(point)
    stream.reseed(43)

    np.testing.assert_array_equal(before(stream.distribution), shown)
    assert text(stream, 60) != first


def test_an_alphabet_that_is_not_the_models_is_refused():
    with pytest.raises(ValueError, match="the alphabet has 3 tokens, the model 11"):
        Sampler(MODEL, Vocabulary("abc"), seed=0)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="the seed is -1"):
        sampler(seed=-1)


def test_a_model_of_one_token_writes_it():
    one = CharModel(TorchCharRNN(1, 1, 1).checkpoint())

    assert text(Sampler(one, Vocabulary("x"), SamplingSettings(top_k=5), seed=0), 5) == "xxxxx"
