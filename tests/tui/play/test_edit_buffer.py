"""Editing a text: nothing is lost, everything can be undone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.tui.play.edit_buffer import EditBuffer, Splice, line_end, line_start, word_left, word_right


def typed(text: str, buffer: EditBuffer | None = None) -> EditBuffer:
    buffer = EditBuffer() if buffer is None else buffer
    for character in text:
        buffer.insert(character, typed=True)
    return buffer


def test_words_are_undone_whole_and_come_back() -> None:
    buffer = typed("two words")
    buffer.undo()
    assert buffer.text == "two "
    buffer.undo()
    assert buffer.text == "two"
    buffer.redo()
    buffer.redo()
    assert buffer.text == "two words"
    assert buffer.redo() is None


def test_a_cursor_that_moved_ends_what_is_undone_at_once() -> None:
    buffer = typed("ab")
    buffer.move(1)
    typed("x", buffer)
    assert buffer.text == "axb"
    buffer.undo()
    assert buffer.text == "ab"
    assert buffer.cursor == 1


@pytest.mark.parametrize("direction", [-1, 0])
def test_characters_deleted_one_after_another_come_back_together(direction: int) -> None:
    buffer = EditBuffer("abcdef")
    buffer.move(3)
    for _ in range(3):
        buffer.delete_to(buffer.cursor + (direction or 1))
    assert buffer.text == ("def" if direction else "abc")
    buffer.undo()
    assert buffer.text == "abcdef"


def test_what_is_inserted_takes_the_place_of_the_selection() -> None:
    buffer = EditBuffer("one two three")
    buffer.move(4)
    buffer.move(7, select=True)
    assert buffer.selected == "two"
    assert buffer.insert("2") == Splice(4, 7, "2")
    assert (buffer.text, buffer.cursor) == ("one 2 three", 5)


def test_the_end_is_where_the_cursor_stands_alone_behind_all() -> None:
    buffer = EditBuffer("ab")
    assert buffer.at_end
    buffer.move(0, select=True)
    assert not buffer.at_end
    buffer.move(99)
    assert buffer.at_end


def test_words_and_lines_have_their_ends() -> None:
    text = "one, two\n\nthree"
    assert [word_left(text, place) for place in (3, 4, 8, 10)] == [0, 3, 5, 5]
    assert [word_right(text, place) for place in (0, 3, 4, 8, 15)] == [3, 4, 8, 15, 15]
    assert [line_start(text, place) for place in (0, 8, 9, 12)] == [0, 0, 9, 10]
    assert [line_end(text, place) for place in (0, 8, 9, 12)] == [8, 8, 9, 15]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.text(max_size=3)),
        st.tuples(st.just("type"), st.characters(codec=None)),
        st.tuples(st.just("delete"), st.integers(0, 12)),
        st.tuples(st.just("move"), st.integers(0, 12)),
        st.tuples(st.just("select"), st.integers(0, 12)),
        st.tuples(st.just("replace"), st.text(max_size=3)),
        st.tuples(st.just("undo"), st.none()),
        st.tuples(st.just("redo"), st.none()),
    ),
    max_size=25,
)


@given(st.text(st.characters(codec=None), max_size=12), STEPS)
def test_splices_rebuild_the_text_and_undo_leads_back_to_the_start(
    text: str, steps: list[tuple[str, str | int | None]]
) -> None:
    buffer, copy = EditBuffer(text), text
    deeds = {
        "insert": buffer.insert,
        "type": lambda character: buffer.insert(character, typed=True),
        "delete": buffer.delete_to,
        "move": buffer.move,
        "select": lambda place: buffer.move(place, select=True),
        "replace": buffer.replace_all,
        "undo": lambda _: buffer.undo(),
        "redo": lambda _: buffer.redo(),
    }
    for name, argument in steps:
        splice = deeds[name](argument)
        if isinstance(splice, Splice):
            copy = copy[: splice.start] + splice.text + copy[splice.end :]
        assert copy == buffer.text
        assert 0 <= buffer.selection[0] <= buffer.selection[1] <= len(buffer.text)
    reached = buffer.text
    while buffer.undo() is not None:
        pass
    assert buffer.text == text
    while buffer.redo() is not None:
        pass
    if ("undo", None) not in steps:
        assert buffer.text == reached
