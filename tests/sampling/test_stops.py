"""Where a text ends: against a plain search in the whole text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.sampling.stops import NEVER, Stop, StopWatch

TEXTS = st.text("ab\n", max_size=40)
STOPS = st.builds(
    Stop, st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3).map(tuple), st.none() | st.integers(1, 4)
)


def shown(stop: Stop, text: str) -> str:
    """The text up to where the watch ends it."""
    watch, written = StopWatch(stop), ""
    for character in text:
        written += character
        if watch.ends_with(character):
            break
    return written


def plain_end(stop: Stop, text: str) -> tuple[int, str]:
    """By the definition: the shortest beginning that has one of the strings, or the lines, in it."""
    for end in range(1, len(text) + 1):
        if any(string in text[:end] for string in stop.until):
            return end, "until"
        if stop.lines is not None and text[:end].count("\n") == stop.lines:
            return end, "lines"
    return len(text), "length"


@given(STOPS, TEXTS)
def test_a_text_ends_where_a_search_in_all_of_it_says(stop: Stop, text: str) -> None:
    end, why = plain_end(stop, text)
    assert shown(stop, text) == text[:end]
    assert stop.end_of(text[:end]) == why


def test_a_string_of_several_characters_ends_a_text_wherever_it_lies() -> None:
    assert shown(Stop(("aab",)), "abaaab tail") == "abaaab"
    assert shown(Stop(("END", "\n\n")), "one\ntwo\n\nEND") == "one\ntwo\n\n"
    assert shown(NEVER, "one\ntwo") == "one\ntwo"


@pytest.mark.parametrize(("until", "lines", "told"), [(("a", ""), None, "until is empty"), ((), 0, "lines is 0")])
def test_what_could_end_no_text_is_refused(until: tuple[str, ...], lines: int | None, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Stop(until, lines)
