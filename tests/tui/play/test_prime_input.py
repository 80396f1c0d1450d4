"""The field of the prime as a document of TextArea: every character comes back, none is drawn raw."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.document._document import Document  # what TextArea edits; nowhere public
from textual.pilot import Pilot

from charrnn_tui.tui.play.document_text import raw, signs, stored
from charrnn_tui.tui.play.prime_input import PrimeInput
from tests.tui.pilot import STYLES

SEPARATORS = "\f\v\x1c\x1d\x1e\x85\u2028\u2029\r"
PRIVATE = "\ue000\U000f0000\U000f0001\U0010fffd"
TEXTS = st.text(st.one_of(st.sampled_from("ab\n" + SEPARATORS + PRIVATE), st.characters(codec=None)), max_size=40)


@given(TEXTS)
def test_a_document_gives_back_every_character(text: str) -> None:
    document = Document(stored(text))
    assert raw(document.text) == text
    assert document.line_count == text.count("\n") + 1


@given(TEXTS)
def test_what_is_drawn_of_a_document_has_its_width_and_is_safe(text: str) -> None:
    line = stored(text.replace("\n", ""))
    assert cell_len(signs(line)) == cell_len(line)
    assert all(character.isprintable() for character in signs(line))


class Field(App[None]):
    CSS_PATH = STYLES

    def __init__(self, text: str) -> None:
        super().__init__()
        self.input = PrimeInput(text)

    def compose(self) -> ComposeResult:
        yield self.input


@asynccontextmanager
async def field(text: str = "") -> AsyncIterator[tuple[PrimeInput, Pilot[None]]]:
    app = Field(text)
    async with app.run_test(size=(20, 24)) as pilot:
        yield app.input, pilot


@pytest.mark.parametrize("odd", SEPARATORS + PRIVATE + "\x00\x1b\t\u0301\u3000")
async def test_an_odd_character_is_one_place_to_the_keys(odd: str) -> None:
    async with field(f"a{odd}b") as (input_, pilot):
        assert input_.value == f"a{odd}b"
        await pilot.press("left", "left", "shift+right", "ctrl+c")
        assert pilot.app.clipboard == odd
        await pilot.press("ctrl+x")
        assert (input_.value, pilot.app.clipboard) == ("ab", odd)
        await pilot.press("ctrl+v", "ctrl+v", "backspace")
        assert input_.value == f"a{odd}b"
        await pilot.press("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z")
        assert input_.value == f"a{odd}b"


async def test_ctrl_x_without_a_selection_cuts_nothing() -> None:
    async with field("ab\ncd") as (input_, pilot):
        await pilot.press("ctrl+x")
        assert input_.value == "ab\ncd"


async def test_lines_are_cut_to_their_ends_also_where_they_take_several_rows() -> None:
    async with field("one two three four five six seven\nlast") as (input_, pilot):
        await pilot.press("ctrl+home", *["right"] * 4, "ctrl+k")
        assert input_.value == "one \nlast"
        await pilot.press("ctrl+k", "ctrl+u")
        assert input_.value == "last"
        await pilot.press("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+end", "up", "ctrl+u")
        assert input_.value == "n\nlast"


async def test_a_prediction_is_drawn_between_its_marks_over_several_rows() -> None:
    async with field("a prime") as (input_, pilot):
        input_.prediction = " that goes on\nand on"
        await pilot.pause()
        await pilot.pause()
        rows = [input_.render_line(y).text.rstrip() for y in range(2)]
        assert "".join(rows) == "a prime‹ that goes on⏎and on›"
        await pilot.press("f7")
        assert (input_.value, input_.prediction) == ("a prime that", " goes on\nand on")
        await pilot.press("tab")
        assert (input_.value, input_.prediction) == ("a prime that goes on\nand on", "")


async def test_a_prediction_may_come_while_the_field_leaves_the_screen() -> None:
    async with field("anna") as (area, pilot):
        await area.remove()
        area.prediction = ""
        area.prediction = " said"
        await pilot.pause()
