"""The app in ASCII."""

from pathlib import Path

import pytest
from rich.segment import Segment
from textual.color import Color

from charrnn_tui.run.config import DEFAULTS, with_values
from charrnn_tui.tui.app import StudioApp
from charrnn_tui.tui.ascii_filter import AsciiFilter, filters_of_texts
from charrnn_tui.tui.opening import Opening
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text, shows, until

BLACK = Color(0, 0, 0)
ALPHABET = " éüñäöß×"


def filtered(filter: AsciiFilter, text: str) -> str:
    return "".join(segment.text for segment in filter.apply([Segment(text)], BLACK))


@pytest.mark.parametrize(
    ("encoding", "words", "text"),
    [
        ("utf-8", "Café | 2x5 漢 . -", "Café · 2×5 漢 … —"),
        ("latin-1", "Café | 2x5 ?? . -", "Café · 2×5 ?? . -"),
        ("ascii", "Cafe | 2x5 ?? . -", "Cafe | 2x5 ?? . -"),
    ],
)
def test_signs_become_ascii_and_a_text_keeps_what_the_terminal_can_show(encoding: str, words: str, text: str) -> None:
    filter = AsciiFilter(encoding)
    assert filtered(filter, "Café · 2×5 漢 … —") == words
    assert filtered(filter.for_texts, "Café · 2×5 漢 … —") == text
    assert filtered(filter, "█│⣿") == filtered(filter.for_texts, "█│⣿") == "#|:".replace(":", "|")


def test_texts_have_one_filter_of_their_own() -> None:
    filter = AsciiFilter("utf-8")
    assert filters_of_texts([filter]) == [filter.for_texts]
    assert filter.for_texts is AsciiFilter("utf-8").for_texts


async def test_the_screen_is_ascii_but_for_the_letters_of_a_text(tmp_path: Path) -> None:
    backend = ScriptedBackend(tmp_path)
    backend.shipped = tmp_path / "tiny.safetensors"
    backend.checkpoints[backend.shipped] = tiny_checkpoint(ALPHABET)
    config = with_values(DEFAULTS, {"ascii": True, "play.speed": "off", "play.length": 50})
    app = StudioApp(backend, Opening(), config)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "50 chars |")
        letters = {char for char in app.play.pane.text_view.text if not char.isascii()}
        assert letters
        await until(pilot, lambda: letters <= set(screen_text(app)))
        assert {char for char in screen_text(app) if not char.isascii()} <= set(ALPHABET)  # of the next one, too
        await pilot.press("question_mark")
        await shows(pilot, "^ v scroll | Esc closes -+")
        assert screen_text(app).isascii()
