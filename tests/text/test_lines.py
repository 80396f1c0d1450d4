"""Lines of a text: what stands between its line feeds, and one of them by chance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.text.lines import Lines, median_line_length
from charrnn_tui.text.vocabulary import Vocabulary


def lines_of(text: str) -> Lines:
    vocabulary = Vocabulary(sorted(set(text)))
    return Lines(vocabulary.encode(text), vocabulary)


@given(st.text("ab \n", min_size=1))
def test_lines_are_what_stands_between_the_line_feeds(text: str) -> None:
    lines = lines_of(text)
    assert [lines.line(number) for number in range(len(lines))] == text.split("\n")


@given(st.text("a \n", min_size=1), st.integers(0, 1000))
def test_a_line_by_chance_is_never_blank(text: str, seed: int) -> None:
    lines = lines_of(text)
    number = lines.draw(seed)
    if number is None:
        assert not text.strip()
    else:
        assert lines.line(number).strip()
        assert lines_of(text).draw(seed) == number


def test_the_only_line_with_words_is_found_among_thousands() -> None:
    assert lines_of("\n" * 3000 + "a" + "\n" * 3000).draw(1) == 3000


def test_every_line_has_its_chance() -> None:
    lines = lines_of("a\n\nbbbbbbbbbbbbbbbbbbbbbb\nc")
    assert {lines.draw(seed) for seed in range(60)} == {0, 2, 3}


@pytest.mark.parametrize(
    ("text", "length"),
    [("anna\nbo\n\nclara\n", 4), ("a\nbb\n", 1), ("one line", 8), ("\nlast", 4), ("\n\n\n", None), ("", None)],
)
def test_the_median_length_is_that_of_the_lines_that_are_not_empty(text: str, length: int | None) -> None:
    vocabulary = Vocabulary(sorted({*text, "\n"}))
    assert median_line_length(vocabulary.encode(text), vocabulary) == length
