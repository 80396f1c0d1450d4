"""Copied passages beside a plain search in the text."""

import numpy as np
import pytest

from charrnn_tui.analysis.copied import Passage, covered, new_words, passages, repeats
from charrnn_tui.analysis.text_index import index_text


def ids_of(text: str) -> np.ndarray:
    return np.array(["abc".index(char) for char in text], np.uint8)


def random_text(length: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("abc"), size=length))


@pytest.mark.parametrize("length", [2, 4, 6, 20])
def test_what_is_copied_is_what_a_search_finds(length: int) -> None:
    training, text = random_text(150, 1), random_text(40, 2) + random_text(150, 1)[30:55] + "a"
    expected = np.zeros(len(text), bool)
    for i in range(len(text) - length + 1):
        if text[i : i + length] in training:
            expected[i : i + length] = True
    lengths, _ = index_text(ids_of(training)).longest_match(ids_of(text))
    assert covered(lengths, length).tolist() == expected.tolist()


def test_of_a_text_shorter_than_a_passage_nothing_is_copied() -> None:
    for text, training in (("", "abab"), ("ab", "abab"), ("abc", "ab"), ("ab", "")):
        lengths, _ = index_text(ids_of(training)).longest_match(ids_of(text))
        assert covered(lengths, 3).tolist() == [False] * len(text)


def found_passages(text: str, training: str, least: int) -> list[Passage]:
    ids = ids_of(training)
    return passages(ids_of(text), ids, index_text(ids).longest_match(ids_of(text), least), least)


def test_passages_go_as_far_as_the_texts_agree_the_longest_first() -> None:
    training = random_text(300, 3)
    text = random_text(20, 4) + training[100:140] + random_text(20, 5) + training[200:225] + training[290:]
    found = found_passages(text, training, 15)
    assert [passage.end - passage.begin for passage in found] == sorted(
        (passage.end - passage.begin for passage in found), reverse=True
    )
    for passage in found:
        length = passage.end - passage.begin
        assert text[passage.begin : passage.end] == training[passage.source : passage.source + length]
        assert text[passage.begin : passage.end + 1] != training[passage.source : passage.source + length + 1]
    first = found[0]
    assert first.begin <= 20 < 60 <= first.end
    assert found_passages(text, "ab", 15) == []


def test_repeats_are_the_passages_that_stood_there_before() -> None:
    new, first, second = random_text(200, 6), random_text(60, 7), random_text(40, 8)
    text = "c" + first + new + "a" + second + "b" + first + "a" + second + "c" + first
    found = repeats(index_text(ids_of(text)), 20)
    places = [place for place in range(len(text) - 20) if text.find(text[place : place + 20]) + 20 <= place]
    assert {place for each in found for place in range(each.begin, each.end)} >= set(places)
    assert [text[each.begin : each.end].count(first) for each in found] == [1, 1, 0]
    for each in found:
        assert text.find(text[each.begin : each.begin + 20]) == each.source
        assert each.source + (each.end - each.begin) <= each.begin


def test_repeats_do_not_overlap_what_they_repeat() -> None:
    (found,) = repeats(index_text(ids_of("a" * 50 + "b")), 20)
    assert (found.source, found.begin, found.end) == (0, 20, 40)
    for text in ("", "a", "abc"):
        assert repeats(index_text(ids_of(text)), 2) == []


def test_long_passages_are_followed_beyond_what_was_searched() -> None:
    training = random_text(3000, 9)
    (found,) = found_passages("c" + training[500:2500], training, 100)
    assert found.end - found.begin >= 2000


def test_new_words_are_those_that_the_training_text_has_nowhere() -> None:
    share, words = new_words("The cat sat; the Dog zat, zat x1", "the CAT sat. a dog")
    assert words == ["zat"]
    assert share == pytest.approx(2 / 7)
    assert new_words("", "a") == (0.0, [])
