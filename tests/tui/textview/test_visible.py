"""Whatever a model writes reaches the terminal as printable characters of known width."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from charrnn_tui.tui.textview.visible import TAB_CELLS, _stand_in, visible


@pytest.mark.parametrize(
    ("character", "stand_in"),
    [
        ("\x1b", "␛"),
        ("\x00", "␀"),
        ("\n", "␤"),
        ("\r", "␍"),
        ("\x7f", "␡"),
        ("\x9b", "�"),
        ("\ud83d", "�"),
        ("\ue000", "�"),
        ("\uffff", "�"),
        ("\u0378", "�"),
        ("\u202e", "·"),
        ("\u2066", "·"),
        ("\u061c", "·"),
        ("\u200d", "·"),
        ("\ufe0f", "·"),
        ("\u2028", "·"),
        ("\u00ad", "·"),
        ("\U0001f3fd", "·"),
        ("\u0301", "◌\u0301"),
        ("\u20e3", "◌"),
        ("\u0903", "◌"),
        ("\u1175", "◌"),
        ("\U0001f1fa", "Ⓤ"),
        ("\t", " " * TAB_CELLS),
        ("\xa0", " "),
        ("\u3000", "  "),
        ("a", "a"),
        ("é", "é"),
        ("世", "世"),
        ("😀", "😀"),
    ],
)
def test_a_character_gets_its_stand_in(character: str, stand_in: str) -> None:
    assert visible(character) == stand_in


def test_every_code_point_is_harmless_and_takes_at_least_one_cell() -> None:
    for code in range(sys.maxunicode + 1):
        shown = _stand_in(code)  # past the cache, which a million entries would only fill
        assert {unicodedata.category(part) for part in shown}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
        assert cell_len(shown) in (1, 2, TAB_CELLS), hex(code)


@given(st.text(st.characters(codec=None)))
def test_a_text_is_as_wide_as_its_characters_together(text: str) -> None:
    assert visible(text) == "".join(visible(character) for character in text)
    assert cell_len(visible(text)) == sum(cell_len(visible(character)) for character in text)
