"""Copied passages beside a plain search in the text."""

import numpy as np
import pytest

from charrnn_tui.analysis.copied import copied, new_words, passages
from charrnn_tui.analysis.windows import windows

TOKENS = 3


def ids_of(text: str) -> np.ndarray:
    return np.array(["abc".index(char) for char in text], np.uint8)


def random_text(length: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("abc"), size=length))


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 13, 100])
def test_windows_have_equal_numbers_where_they_are_equal(length: int) -> None:
    text = random_text(100, 0)
    numbers = windows(ids_of(text), TOKENS, length).tolist()
    cut = [text[i : i + length] for i in range(101 - length)]
    assert len(numbers) == len(cut)
    assert len(set(zip(numbers, cut, strict=True))) == len(set(numbers)) == len(set(cut))


def test_a_text_shorter_than_the_window_has_none() -> None:
    assert windows(ids_of("ab"), TOKENS, 3).shape == (0,)


@pytest.mark.parametrize("length", [2, 4, 6, 20])
def test_what_is_copied_is_what_a_search_finds(length: int) -> None:
    training, text = random_text(150, 1), random_text(40, 2) + random_text(150, 1)[30:55] + "a"
    expected = np.zeros(len(text), bool)
    for i in range(len(text) - length + 1):
        if text[i : i + length] in training:
            expected[i : i + length] = True
    (found,) = copied([ids_of(text)], ids_of(training), TOKENS, length)
    assert found.tolist() == expected.tolist()


def test_of_a_text_shorter_than_a_passage_nothing_is_copied() -> None:
    empty, short = copied([ids_of(""), ids_of("ab")], ids_of("abab"), TOKENS, 3)
    assert (empty.tolist(), short.tolist()) == ([], [False, False])
    assert copied([ids_of("abc")], ids_of("ab"), TOKENS, 3)[0].tolist() == [False] * 3


def test_passages_go_as_far_as_the_texts_agree_the_longest_first() -> None:
    training = random_text(300, 3)
    text = random_text(20, 4) + training[100:140] + random_text(20, 5) + training[200:225] + training[290:]
    found = passages(ids_of(text), ids_of(training), TOKENS, 15)
    assert [passage.end - passage.begin for passage in found] == sorted(
        (passage.end - passage.begin for passage in found), reverse=True
    )
    for passage in found:
        length = passage.end - passage.begin
        assert text[passage.begin : passage.end] == training[passage.source : passage.source + length]
        assert text[passage.begin : passage.end + 1] != training[passage.source : passage.source + length + 1]
    first = found[0]
    assert first.begin <= 20 < 60 <= first.end
    assert passages(ids_of(text), ids_of("ab"), TOKENS, 15) == []


def test_new_words_are_those_that_the_training_text_has_nowhere() -> None:
    share, words = new_words("The cat sat; the Dog zat, zat x1", "the CAT sat. a dog")
    assert words == ["zat"]
    assert share == pytest.approx(2 / 7)
    assert new_words("", "a") == (0.0, [])
