"""The text view as one reads it: rows, scrolling, cursor, marks, and what is painted again."""

import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.style import Style
from textual import on
from textual.app import App, ComposeResult
from textual.events import MouseScrollUp
from textual.geometry import Offset, Region
from textual.selection import Selection

from charrnn_tui.tui.textview.lens import LOW_TO_HIGH
from charrnn_tui.tui.textview.text_view import TextView
from tests.tui.pilot import STYLES

SCROLLBAR_AND_GAP = 2
PROSE = "Happy families are all alike; every unhappy family is unhappy in its own way. "


class GeneratedText(App[None]):
    CSS_PATH = STYLES

    """A text view that fills the screen and notes where its cursor went."""

    def __init__(self, view: TextView) -> None:
        super().__init__()
        self.view = view
        self.cursor_positions: list[int | None] = []

    def compose(self) -> ComposeResult:
        yield self.view

    @on(TextView.CursorMoved)
    def note(self) -> None:
        self.cursor_positions.append(self.view.cursor)


def page_of(text: str = "", *, placeholder: str = "") -> GeneratedText:
    view = TextView(placeholder=placeholder)
    view.append(text)
    return GeneratedText(view)


def rows_of(view: TextView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


def style_at(view: TextView, x: int, y: int) -> Style:
    style = next(iter(view.render_line(y).crop(x, x + 1))).style
    assert style is not None
    return style


class Watched(TextView):
    """Remembers which regions it was asked to paint again; none stands for all of it."""

    def __init__(self, text: str) -> None:
        self.painted: list[Region | None] = []
        super().__init__()
        self.append(text)

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> "Watched":
        if repaint:
            self.painted.extend(regions or [None])
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


async def test_a_text_is_wrapped_at_words_and_its_lines_are_kept() -> None:
    async with page_of("the quick brown fox\n\n  jumps \nover").run_test(size=(12 + SCROLLBAR_AND_GAP, 8)) as pilot:
        assert rows_of(pilot.app.query_one(TextView)) == ["the quick", "brown fox", "", "  jumps", "over", "", "", ""]


async def test_odd_characters_keep_their_cells() -> None:
    text = "a\tb\x1b[31m\x9b世界\u202ee\u0301\U0001f600\ud800."
    async with page_of(text).run_test(size=(40, 3)) as pilot:
        assert rows_of(pilot.app.query_one(TextView))[0] == "a    b␛[31m�世界·e◌\u0301😀�."


async def test_a_long_word_is_broken_and_wide_characters_are_not_cut() -> None:
    async with page_of("abcdefghijklmno 世界世界世界").run_test(size=(10 + SCROLLBAR_AND_GAP, 5)) as pilot:
        assert rows_of(pilot.app.query_one(TextView)) == ["abcdefghi", "jklmno 世", "界世界世", "界", ""]


async def test_text_may_come_before_the_view_is_on_the_screen() -> None:
    generated = page_of("one ")
    generated.view.append("two")
    generated.view.busy = True
    async with generated.run_test(size=(20, 3)):
        assert rows_of(generated.view) == ["one two█", "", ""]
        assert generated.view.text == "one two"


async def test_a_placeholder_stands_where_there_is_no_text() -> None:
    generated = page_of(placeholder="Press g to write.")
    async with generated.run_test(size=(10 + SCROLLBAR_AND_GAP, 3)):
        assert rows_of(generated.view) == ["Press g to", "write.", ""]
        generated.view.append("x")
        assert rows_of(generated.view) == ["x", "", ""]
        generated.view.clear()
        assert rows_of(generated.view) == ["Press g to", "write.", ""]
        generated.view.busy = True
        assert rows_of(generated.view) == ["█", "", ""]


async def test_the_block_stands_at_the_end_only_while_more_is_written() -> None:
    generated = page_of("Anna\n")
    async with generated.run_test(size=(20, 3)):
        generated.view.busy = True
        assert rows_of(generated.view) == ["Anna", "█", ""]
        generated.view.busy = False
        assert rows_of(generated.view) == ["Anna", "", ""]


async def test_a_view_at_the_end_follows_and_a_scrolled_one_stays() -> None:
    generated = page_of("\n".join(str(number) for number in range(50)))
    async with generated.run_test(size=(20, 5)) as pilot:
        view = generated.view
        assert rows_of(view) == ["45", "46", "47", "48", "49"]
        view.append("\n50")
        assert rows_of(view) == ["46", "47", "48", "49", "50"]
        await pilot.press("up")
        view.append("\n51")
        assert (rows_of(view), view.following) == (["45", "46", "47", "48", "49"], False)
        await pilot.press("pageup")
        assert rows_of(view)[0] == "40"
        await pilot.press("home")
        assert rows_of(view)[0] == "0"
        await pilot.press("pagedown", "down")
        assert rows_of(view)[0] == "6"
        await pilot.press("end")
        view.append("\n52")
        assert (rows_of(view), view.following) == (["48", "49", "50", "51", "52"], True)


async def test_the_wheel_scrolls_and_following_resumes_at_the_end() -> None:
    generated = page_of("\n".join(str(number) for number in range(50)))
    async with generated.run_test(size=(20, 5)) as pilot:
        generated.view.post_message(MouseScrollUp(generated.view, 1, 1, 0, -1, 0, False, False, False))
        await pilot.pause()
        assert not generated.view.following
        top = generated.view.scroll_offset.y
        generated.view.append("\n50")
        assert generated.view.scroll_offset.y == top
        generated.view.show_row(generated.view.max_scroll_y)
        assert generated.view.following


async def test_a_new_width_keeps_the_first_character_of_the_page() -> None:
    generated = page_of(PROSE * 30)
    async with generated.run_test(size=(40, 6)) as pilot:
        generated.view.show_row(20)
        await pilot.pause()
        first = rows_of(generated.view)[0][:10]
        await pilot.resize_terminal(70, 6)
        assert first in rows_of(generated.view)[0]
        await pilot.press("end")
        await pilot.resize_terminal(30, 4)
        assert generated.view.following
        assert rows_of(generated.view)[-1].endswith("its own way.")


async def test_a_shorter_text_is_seen_after_a_longer_one() -> None:
    generated = page_of(PROSE * 30)
    async with generated.run_test(size=(40, 6)):
        generated.view.set_text("Anna went.", prime_length=4)
        assert rows_of(generated.view) == ["Anna went.", "", "", "", "", ""]
        assert (generated.view.prime_length, generated.view.length, generated.view.scroll_offset.y) == (4, 10, 0)


async def test_the_prime_is_set_off_by_weight() -> None:
    generated = page_of()
    async with generated.run_test(size=(40, 6)):
        generated.view.set_text("Anna went.", prime_length=4)
        assert [bool(style_at(generated.view, x, 0).bold) for x in (0, 3, 4, 9)] == [True, True, False, False]


async def test_classes_differ_without_colour() -> None:
    def number_of(start: int, end: int) -> Sequence[int]:
        return [position - 1 for position in range(start, end)]

    generated = page_of("-0123456789")
    async with generated.run_test(size=(40, 6)):
        generated.view.colour_classes = number_of
        styles = [style_at(generated.view, x, 0) for x in range(11)]
        looks = [(style.dim, style.bold, style.underline, style.reverse) for style in styles[1:]]
        assert len(set(looks[:6])) == 6  # a scale
        assert len({looks[number] for number in LOW_TO_HIGH}) == 5
        assert styles[0].color == style_at(generated.view, 20, 0).color


async def test_a_mark_shifts_nothing_and_can_wait_for_its_character() -> None:
    generated = page_of("Anna")
    async with generated.run_test(size=(40, 6)):
        generated.view.add_mark(4, "top-k 5")
        generated.view.add_mark(1, "temperature 0.8")
        generated.view.append(" went")
        assert rows_of(generated.view)[0] == "Anna went"
        assert [x for x in range(12) if style_at(generated.view, x, 0).underline] == [1, 4]
        assert generated.view.marks == [(1, "temperature 0.8"), (4, "top-k 5")]


async def test_the_cursor_walks_over_characters_and_rows() -> None:
    generated = page_of("ab\tc\n世界\nlonger line")
    async with generated.run_test(size=(40, 6)) as pilot:
        view = generated.view
        await pilot.press("left")
        assert view.cursor is None
        view.show_cursor = True
        assert view.cursor == view.length - 1
        await pilot.press("home", "right", "right", "right")
        assert view.cursor == 3
        assert style_at(view, 6, 0).reverse
        await pilot.press("down")
        assert view.text[view.cursor] == "\n"
        await pilot.press("down")
        assert view.text[view.cursor] == " "
        await pilot.press("up", "up", "left", "end", "right")
        assert view.cursor == view.length - 1
        await pilot.pause()
        assert generated.cursor_positions[:5] == [view.length - 1, 0, 1, 2, 3]


async def test_the_cursor_is_kept_in_view() -> None:
    generated = page_of("\n".join(str(number) for number in range(100)))
    async with generated.run_test(size=(20, 5)) as pilot:
        generated.view.show_cursor = True
        await pilot.press("home")
        assert rows_of(generated.view)[0] == "0"
        await pilot.press("pagedown", "pagedown")
        assert "10" in rows_of(generated.view)
        generated.view.cursor = 10**9
        assert (generated.view.cursor, rows_of(generated.view)[-1]) == (generated.view.length - 1, "99")


async def test_a_click_sets_the_cursor_when_there_is_one() -> None:
    generated = page_of("ab\tc\n世界")
    async with generated.run_test(size=(40, 6)) as pilot:
        await pilot.click(TextView, offset=(1, 0))
        assert generated.view.cursor is None
        generated.view.show_cursor = True
        await pilot.click(TextView, offset=(4, 0))
        assert generated.view.cursor == 2
        await pilot.click(TextView, offset=(3, 1))
        assert generated.view.text[generated.view.cursor] == "界"
        await pilot.click(TextView, offset=(30, 5))
        assert generated.view.cursor == generated.view.length - 1


async def test_a_selection_gives_the_raw_characters() -> None:
    generated = page_of("ab\tc\x1b\nnext row")
    async with generated.run_test(size=(40, 6)):
        view = generated.view
        assert view.get_selection(Selection(None, None)) == ("ab\tc\x1b\nnext row", "\n")
        assert view.get_selection(Selection(Offset(2, 0), Offset(4, 1))) == ("\tc\x1b\nnext", "\n")
        view.screen.selections = {view: Selection(Offset(6, 0), Offset(4, 1))}
        assert style_at(view, 6, 0).bgcolor == style_at(view, 3, 1).bgcolor != style_at(view, 1, 0).bgcolor


async def test_keys_select_from_the_cursor_to_where_it_is_moved() -> None:
    generated = page_of("ab\tc\x1b\nnext row")
    async with generated.run_test(size=(40, 6)) as pilot:
        view = generated.view
        view.focus()
        await pilot.press("v")
        assert view.selected is None  # there is no cursor
        view.show_cursor = True
        view.cursor = 2
        await pilot.press("v")
        assert view.selected == (2, 3)
        await pilot.press("right", "down")
        assert view.selected == (2, view.cursor + 1)
        assert view.get_selection(view.text_selection) == ("\tc\x1b\nnext row"[: view.cursor - 1], "\n")
        await pilot.press("home")
        assert view.selected == (0, 3)
        await pilot.press("v", "right")
        assert view.selected is None
        await pilot.press("v", "end")
        assert view.selected == (1, 14)
        view.set_text("another")
        view.cursor = 3
        await pilot.press("v")
        assert view.selected == (3, 4)


async def test_appending_paints_only_the_cells_it_touches() -> None:
    view = Watched("one two")
    async with GeneratedText(view).run_test(size=(20 + SCROLLBAR_AND_GAP, 5)):
        view.busy = True
        view.painted.clear()
        view.append("!")
        assert view.painted
        assert all(region and region.y == 0 and region.x >= 7 and region.right <= 9 for region in view.painted)


async def test_the_block_of_a_full_row_goes_when_the_page_scrolls() -> None:
    view = Watched("first\nabcd efgh ")
    async with GeneratedText(view).run_test(size=(10 + SCROLLBAR_AND_GAP, 2)):
        view.busy = True
        assert rows_of(view)[1] == "abcd efgh █"
        view.painted.clear()
        view.append("i")
        assert rows_of(view) == ["abcd efgh", "i█"]
        assert any(region and region.contains(10, 1) for region in view.painted)


async def test_a_word_that_moves_paints_two_rows() -> None:
    view = Watched("\none two three fou")
    async with GeneratedText(view).run_test(size=(18 + SCROLLBAR_AND_GAP, 6)):
        assert rows_of(view)[1] == "one two three fou"
        view.painted.clear()
        view.append("r")
        assert rows_of(view)[1:3] == ["one two three", "four"]
        assert {region.y for region in view.painted if region} == {1, 2}
        assert None not in view.painted


async def test_appending_out_of_sight_paints_nothing() -> None:
    view = Watched("\n".join(str(number) for number in range(50)))
    async with GeneratedText(view).run_test(size=(20, 5)) as pilot:
        await pilot.press("home")
        view.painted.clear()
        view.append(" and\nmore")
        assert view.painted == []


async def test_a_followed_page_scrolls_once_for_a_batch_of_rows() -> None:
    view = Watched("\n".join(str(number) for number in range(50)))
    async with GeneratedText(view).run_test(size=(20, 5)):
        view.painted.clear()
        view.append("\nmore" * 20)
        assert view.painted.count(view.text_area_size.region) == 1
        assert None not in view.painted


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 9, 10, 20, 80, 300])
async def test_no_size_is_too_small_or_too_large(width: int) -> None:
    generated = page_of(PROSE + "世界\t\x1b\n" + "x" * 400)
    async with generated.run_test(size=(width, 1)) as pilot:
        generated.view.show_cursor = generated.view.busy = True
        for height in (1, 2, 3, 24, 100):
            await pilot.resize_terminal(width, height)
            generated.view.append(" more")
            lengths = {generated.view.render_line(y).cell_length for y in range(height)}
            assert lengths == {generated.view.scrollable_content_region.width}
        await pilot.press("up", "pageup", "end", "left")
        assert generated.view.cursor == generated.view.length - 2


async def test_a_view_without_any_room_takes_text() -> None:
    generated = page_of("Anna")
    async with generated.run_test(size=(20, 5)) as pilot:
        generated.view.styles.width = generated.view.styles.height = 0
        await pilot.pause()
        generated.view.append(PROSE * 10)
        generated.view.cursor = 5
        generated.view.show_cursor = True
        generated.view.styles.width = generated.view.styles.height = "100%"
        await pilot.pause()
        assert generated.view.text == "Anna" + PROSE * 10
        assert "".join(rows_of(generated.view)).strip()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # an app for every example
@given(st.text(st.characters(codec=None), min_size=1, max_size=300))
async def test_no_control_character_reaches_the_terminal(text: str) -> None:
    generated = page_of()
    async with generated.run_test(size=(17, 30)):
        generated.view.append(text)
        generated.view.busy = True
        shown = "".join(generated.view.render_line(y).text for y in range(30))
        assert {unicodedata.category(character) for character in shown}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn"})
        assert generated.view.text == text
