"""Every character has one place, and what is appended leaves the finished rows alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from charrnn_tui.text.byte_text import in_bytes, joined
from charrnn_tui.tui.textview.visible import visible
from charrnn_tui.tui.textview.wrapping import BREAKING_SPACES, Place, WrappedText

texts = st.text(st.one_of(st.sampled_from("ab \n\t世"), st.characters(codec=None)), max_size=120)
widths = st.integers(1, 20)


def wrapped(text: str, width: int) -> WrappedText:
    rows = WrappedText(width)
    rows.append(text)
    return rows


def rows_of(rows: WrappedText) -> list[str]:
    return [rows.text(*rows.row_span(row)) for row in range(rows.row_count)]


def wrapped_one_by_one(text: str, width: int) -> list[str]:
    """The rule of the module's first paragraph, written down plainly: the yardstick for the arrays."""
    rows = [""]
    for character in text:
        spacious = character in BREAKING_SPACES or character == "\n"
        limit = width if spacious else max(1, width - 1)
        while rows[-1] and cells(rows[-1]) + cells(character) > limit:
            if spacious and cells(rows[-1]) + cells(character) <= width:
                break
            kept = max((i + 1 for i, c in enumerate(rows[-1]) if breaks_after(c)), default=len(rows[-1]))
            rows[-1:] = [rows[-1][:kept], rows[-1][kept:]]
        rows[-1] += character
        if character == "\n":
            rows.append("")
    return rows


def cells(text: str) -> int:
    return sum(cell_len(visible(character)) for character in text)


def breaks_after(character: str) -> bool:
    return character in BREAKING_SPACES or cells(character) == 2


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (21, ["the quick brown fox ", "jumps over"]),
        (20, ["the quick brown fox ", "jumps over"]),
        (19, ["the quick brown ", "fox jumps over"]),
        (6, ["the ", "quick ", "brown ", "fox ", "jumps ", "over"]),
        (4, ["the ", "qui", "ck ", "bro", "wn ", "fox ", "jum", "ps ", "ove", "r"]),
    ],
)
def test_words_stay_whole_where_they_fit(width: int, expected: list[str]) -> None:
    assert rows_of(wrapped("the quick brown fox jumps over", width)) == expected


def test_a_word_longer_than_a_row_starts_a_row_and_is_broken_hard() -> None:
    assert rows_of(wrapped("see abcdefghijklmnop now", 6)) == ["see ", "abcde", "fghij", "klmno", "p now"]


def test_empty_lines_and_a_last_line_feed_have_rows_of_their_own() -> None:
    assert rows_of(wrapped("a\n\n\nb\n", 10)) == ["a\n", "\n", "\n", "b\n", ""]


def test_a_space_or_line_feed_may_stand_in_the_last_column() -> None:
    assert rows_of(wrapped("abcd efg", 5)) == ["abcd ", "efg"]
    assert rows_of(wrapped("abcd\nefg", 5)) == ["abcd\n", "efg"]


def test_many_spaces_are_kept() -> None:
    assert rows_of(wrapped("ab        c", 6)) == ["ab    ", "    c"]


def test_wide_characters_count_twice_and_break_between_each_other() -> None:
    assert rows_of(wrapped("ab世界世界", 6)) == ["ab世", "界世", "界"]


def test_a_tab_is_a_fixed_run() -> None:
    rows = wrapped("a\tb", 20)
    assert [rows.locate(position) for position in range(3)] == [Place(0, 0), Place(0, 1), Place(0, 5)]
    assert [rows.position_at(0, column) for column in range(7)] == [0, 1, 1, 1, 1, 2, 2]


def test_an_empty_text_is_one_empty_row() -> None:
    rows = WrappedText(10)
    assert (rows.row_count, rows.length, rows.locate(0), rows.row_span(0)) == (1, 0, Place(0, 0), (0, 0))
    assert rows.position_at(0, 5) == 0


@given(texts, widths)
def test_the_arrays_wrap_as_the_plain_rule_does(text: str, width: int) -> None:
    assert rows_of(wrapped(text, width)) == wrapped_one_by_one(text, width)


@given(texts, widths, st.integers(1, 20))
def test_wrapping_bit_by_bit_equals_wrapping_at_once(text: str, width: int, size: int) -> None:
    rows = WrappedText(width)
    for start in range(0, len(text), size):
        rows.append(text[start : start + size])
    assert rows_of(rows) == rows_of(wrapped(text, width))
    rows.resize(width + 3)
    assert rows_of(rows) == rows_of(wrapped(text, width + 3))


@given(texts, widths)
def test_every_character_has_one_place_and_is_found_there(text: str, width: int) -> None:
    rows = wrapped(text, width)
    places = [rows.locate(position) for position in range(len(text))]
    assert len(set(places)) == len(text)
    assert [rows.position_at(*place) for place in places] == list(range(len(text)))
    assert rows.text() == text == "".join(rows_of(rows))


@given(texts, texts, widths)
def test_appending_moves_nothing_before_the_position_it_names(text: str, more: str, width: int) -> None:
    rows = wrapped(text, width)
    before = [rows.locate(position) for position in range(len(text))]
    touched = rows.append(more)
    after = [rows.locate(position) for position in range(len(text))]
    assert before[:touched] == after[:touched]
    assert all(old != new for old, new in zip(before[touched:], after[touched:], strict=True))


@given(texts, widths)
def test_a_row_is_no_wider_than_the_view_unless_it_is_one_character(text: str, width: int) -> None:
    assert all(cells(row) <= width or len(row) == 1 for row in rows_of(wrapped(text, width)))


def test_clearing_leaves_an_empty_text() -> None:
    rows = wrapped("a\nb", 10)
    rows.clear()
    assert (rows.text(), rows.row_count, rows.length) == ("", 1, 0)


@given(st.text(st.sampled_from("ab \nяé世👍\u3000"), max_size=60), widths)
def test_bytes_that_are_a_character_stand_where_it_would(text: str, width: int) -> None:
    by_characters, by_bytes, one_by_one = wrapped(text, width), wrapped(in_bytes(text), width), WrappedText(width)
    for byte in in_bytes(text):
        one_by_one.append(byte)
    assert [joined(row) for row in rows_of(by_bytes)] == rows_of(by_characters)
    assert rows_of(one_by_one) == rows_of(by_bytes)
    places = [by_characters.locate(position) for position in range(len(text))]
    starts = [len(text[:position].encode()) for position in range(len(text))]
    assert [by_bytes.locate(start) for start in starts] == places
