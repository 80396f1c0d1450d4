"""Bans and the penalty on repetition, against plain references."""

from array import array
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.sampling.adjusted_logits import (
    BASE,
    HISTORY,
    LARGEST,
    AdjustedLogits,
    adjusted,
    check_characters,
    repetition_penalties,
)
from charrnn_tui.sampling.char_model import QUANTIZED_FROM, CharModel
from charrnn_tui.sampling.distribution import Distribution, log_probabilities
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.lstm_step import COMPILED
from charrnn_tui.sampling.many_texts import write_many
from charrnn_tui.sampling.prime_reader import PrimeReader
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import PLAIN, SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary
from tests.compiled_needed import need
from tests.sampling.by_id import after
from tests.sampling.random_networks import TorchCharRNN

VOCABULARY = Vocabulary("\n abcdehnst")
MODEL = CharModel(TorchCharRNN(len(VOCABULARY), 16, 2).checkpoint())
EVERY = [
    SamplingSettings(ban="the"),
    SamplingSettings(0.0, ban=" "),
    SamplingSettings(0.7, top_k=3, only="abc \n"),
    SamplingSettings(1.2, top_p=0.8, min_p=0.02, dry=0.8, dry_length=2),
    SamplingSettings(0.0, dry=2.0, dry_length=4),
    SamplingSettings(0.9, top_k=9, dry=1.0, dry_length=1, ban="s", only="sand the\n"),
]


def plain_penalties(history: list[int], n_tokens: int, multiplier: float, allowed_length: int) -> list[float]:
    """By the definition: each character of the history, and how far what precedes it is what precedes the end."""
    penalties = [0.0] * n_tokens
    for place, token in enumerate(history):
        length = 0
        while length < place and history[place - 1 - length] == history[len(history) - 1 - length]:
            length += 1
        if length >= allowed_length:
            penalty = min(multiplier * BASE ** (length - allowed_length), LARGEST)
            penalties[token] = max(penalties[token], penalty)
    return penalties


@given(st.lists(st.integers(0, 2), max_size=60), st.sampled_from([0.01, 0.8, 3e4]), st.integers(1, 5))
def test_penalties_are_those_of_the_definition(history: list[int], multiplier: float, allowed: int) -> None:
    ours = repetition_penalties(np.array(history, np.uintc), 4, multiplier, allowed)
    np.testing.assert_allclose(ours, plain_penalties(history, 4, multiplier, allowed), rtol=1e-12)


def test_ids_that_differ_by_256_are_no_repetition() -> None:
    history = np.array([1, 2, 3, 257, 258], np.uintc)
    assert not repetition_penalties(history, 300, 1.0, 2).any()


@pytest.mark.parametrize("multiplier", [5e-324, 0.8, 1.7e308])
def test_a_long_repetition_costs_no_more_than_the_largest_penalty(multiplier: float) -> None:
    penalties = repetition_penalties(np.zeros(HISTORY, np.uintc), 2, multiplier, 12)
    assert penalties.tolist() == [LARGEST, 0.0]


def test_a_length_beyond_the_text_penalizes_nothing() -> None:
    assert not repetition_penalties(np.zeros(50, np.uintc), 2, 0.8, 10**9).any()
    assert not repetition_penalties(np.zeros(0, np.uintc), 2, 0.8, 1).any()


def test_only_the_last_characters_count() -> None:
    once = [1, 2, 3, 4]
    logits, settings = np.zeros(len(VOCABULARY), np.float32), SamplingSettings(dry=1.0, dry_length=3)
    for between, penalized in ((HISTORY - 7, True), (HISTORY - 6, False)):
        history = array("I", [*once, *[0, 5] * (between // 2), *[0] * (between % 2), *once[:3]])
        found = adjusted(logits, settings, VOCABULARY, history)
        assert isinstance(found, AdjustedLogits)
        assert (found.logits[4] < 0) == penalized


@pytest.mark.parametrize(("ban", "only"), [("the", None), (None, "cats\n"), ("st", "cats\n"), ("Ж", "Жab")])
@pytest.mark.parametrize("more", [{}, {"top_k": 2}, {"temperature": 0.5, "top_p": 0.8}, {"temperature": 0}])
def test_characters_are_excluded_as_if_their_probability_were_zero(
    ban: str | None, only: str | None, more: dict[str, float]
) -> None:
    logits = np.random.default_rng(1).normal(0, 2, len(VOCABULARY)).astype(np.float32)
    settings = replace(PLAIN, ban=ban, only=only, **more)
    found = Distribution(logits, settings, adjusted(logits, settings, VOCABULARY, array("I")))
    may = [token not in (ban or "") and (only is None or token in only) for token in VOCABULARY.tokens]
    plain = Distribution(np.where(may, logits, -1e9), replace(PLAIN, **more))
    np.testing.assert_allclose(after(found), after(plain), atol=1e-12)
    np.testing.assert_allclose(
        [found.before_at(found.place_of(n)) for n in range(len(VOCABULARY))], np.exp(log_probabilities(logits))
    )
    assert found.kept == min(plain.kept, sum(may))
    assert found.shares.sum() == pytest.approx(1)
    assert found.entropy_after_bits == pytest.approx(plain.entropy_after_bits)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (SamplingSettings(ban="\n abcdehnst"), "^ban leaves no character"),
        (SamplingSettings(ban="t", only="t"), "^only leaves no character"),
        (SamplingSettings(ban="taЖ"), r"^ban has characters .*'Ж' \(U\+0416\) at position 2"),
        (SamplingSettings(only="Ж"), "^only has characters"),
    ],
)
def test_what_leaves_nothing_or_is_not_in_the_alphabet_is_refused(settings: SamplingSettings, told: str) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        check_characters(settings, VOCABULARY)
    assert "\n" not in str(refused.value)


def test_a_model_without_numbers_is_refused_also_where_only_excluded_characters_have_none() -> None:
    logits = np.array([0, np.nan, 1, *[0] * 8], np.float32)
    with pytest.raises(ValueError, match="NaN"):
        adjusted(logits, SamplingSettings(ban=" "), VOCABULARY, array("I"))


def sampler(settings: SamplingSettings, seed: int = 5, prime: str = "the cat sat ") -> Sampler:
    return Sampler(MODEL, VOCABULARY, settings, seed=seed, prime=prime)


@pytest.mark.parametrize("settings", EVERY)
def test_every_character_is_drawn_from_what_a_plain_reference_leaves_with_one_random_number(
    settings: SamplingSettings,
) -> None:
    writer, numbers = sampler(settings), np.random.Generator(np.random.PCG64(5))
    history = VOCABULARY.encode("the cat sat ").tolist()
    for _ in range(150):
        logits = writer.logits.astype(float)
        if settings.dry is not None:
            logits -= plain_penalties(history, len(VOCABULARY), settings.dry, settings.dry_length)
        for number, token in enumerate(VOCABULARY.tokens):
            if token in (settings.ban or "") or (settings.only is not None and token not in settings.only):
                logits[number] = -1e9
        plain = replace(settings, dry=None, ban=None, only=None)
        expected = Distribution(logits.astype(np.float32), plain)
        np.testing.assert_allclose(after(writer.distribution), after(expected), atol=1e-6)
        history.append(next(writer).token_id)
        assert history[-1] == expected.choose(float(numbers.random()))


@pytest.mark.parametrize("settings", EVERY)
def test_a_text_alone_beside_others_and_by_numpy_is_the_same(
    settings: SamplingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(COMPILED)
    model = CharModel(TorchCharRNN(len(VOCABULARY), QUANTIZED_FROM, 1).checkpoint())
    start = Sampler(model, VOCABULARY, settings, seed=0, prime="the cat ")
    together = [text.ids for text in write_many(start, range(3, 23), 60, threads=1)]
    alone = [
        [each.token_id for each in islice(Sampler(model, VOCABULARY, settings, seed=seed, prime="the cat "), 60)]
        for seed in range(3, 23)
    ]
    assert together == alone
    small = [each.token_id for each in islice(sampler(settings), 200)]
    monkeypatch.setattr(COMPILED, "library", None)
    assert small == [each.token_id for each in islice(sampler(settings), 200)]


@pytest.mark.parametrize("settings", EVERY)
def test_a_generated_text_knows_what_each_character_was_drawn_from_and_goes_on_from_anywhere(
    settings: SamplingSettings,
) -> None:
    writer = sampler(settings)
    text, drawn_from = GeneratedText(writer, "the cat sat ", 5), []
    for _ in range(120):
        drawn_from.append(after(writer.distribution))
        text.write(writer)
    for position in (0, 1, 50, 119):
        np.testing.assert_array_equal(after(text.distribution_at(position)), drawn_from[position])
        fork = text.fork(position)
        other = sampler(settings, seed=0, prime="")
        other.restore(fork.snapshot_at(position))
        while len(fork) < 120:
            fork.write(other)
        assert fork.text == text.text
    before = writer.snapshot()
    ahead = [each.token_id for each in islice(writer, 30)]
    writer.restore(before)
    assert [each.token_id for each in islice(writer, 30)] == ahead


def test_a_prime_that_is_read_in_pieces_counts_as_one_that_is_read_at_once() -> None:
    prime, settings = "the cat sat\n" * 30, SamplingSettings(dry=0.8)
    read = PrimeReader(MODEL, VOCABULARY).read(prime)
    read.settings = settings
    read.reseed(5)
    assert [each.token_id for each in islice(read, 100)] == [
        each.token_id for each in islice(sampler(settings, prime=prime), 100)
    ]


def test_a_long_text_is_drawn_from_the_last_characters_of_it() -> None:
    settings = SamplingSettings(0.0, dry=0.5, dry_length=3)
    writer = sampler(settings)
    text = GeneratedText(writer, "the cat sat ", 5)
    while len(text) < 2 * HISTORY + 200:
        if len(text) % 97 == 0:
            drawn_from = after(writer.distribution)
            text.write(writer)
            np.testing.assert_array_equal(after(text.distribution_at(len(text) - 1)), drawn_from)
        else:
            text.write(writer)
    assert len(writer.history) <= 2 * HISTORY
