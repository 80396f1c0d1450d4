"""A text encoded in one pass is what its alphabet, known beforehand, would have made of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.text.encoding import alphabet_of, encoded
from charrnn_tui.text.vocabulary import Vocabulary, codes_of

TEXTS = st.text(alphabet=st.characters(exclude_categories=[])) | st.text(alphabet="ab\xe9\u20ac\U0001f600")


@given(st.lists(TEXTS, max_size=4))
def test_the_alphabet_of_pieces_is_that_of_the_whole(texts: list[str]) -> None:
    assert alphabet_of(map(codes_of, texts)) == sorted(set("".join(texts)))


@given(st.lists(TEXTS, max_size=4), st.integers(0, 20), st.integers(0, 5))
def test_pieces_are_encoded_as_the_whole(texts: list[str], chars: int, looked_at: int) -> None:
    """chars: what was thought to come, right or wrong. looked_at: how many of the last characters were seen before."""
    whole = "".join(texts)
    ids, alphabet = encoded(map(codes_of, texts), chars, codes_of(whole[len(whole) - min(looked_at, len(whole)) :]))
    assert alphabet == sorted(set(whole))
    assert ids.tolist() == [alphabet.index(char) for char in whole]
    assert not ids.flags.writeable


@pytest.mark.parametrize("size", [1, 254, 255, 256, 257, 5_000, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("backwards", [False, True])
def test_an_alphabet_grows_to_any_size(size: int, backwards: bool) -> None:
    """Known characters, narrow and wide, stand before, among and behind the new ones."""
    alphabet = [chr(code) for code in range(0x20, 0x20 + size + 0x800) if not 0xD800 <= code < 0xE000][:size]
    text = "".join(reversed(alphabet) if backwards else alphabet)
    pieces = [text[begin : begin + 10_000] + text[:300] for begin in range(0, len(text), 10_000)]
    ids, found = encoded(map(codes_of, pieces), len(text))
    expected = Vocabulary(alphabet)
    assert found == alphabet
    assert ids.dtype == expected.dtype
    assert np.array_equal(ids, expected.encode("".join(pieces)))


def test_a_character_that_comes_late_is_found_behind_a_long_known_piece() -> None:
    pieces = ["ab" * 40_000, "ba" * 40_000 + "c" + "ab" * 5_000 + "\u2026", "a"]
    ids, alphabet = encoded(map(codes_of, pieces), 1)
    assert alphabet == ["a", "b", "c", "\u2026"]
    assert "".join(alphabet[number] for number in ids) == "".join(pieces)


@pytest.mark.parametrize("strangers", ["!", "!#", "bd", "Z[", "!BDFHJL~", "~", "ab\xe9", "\u2026"])
def test_what_was_encoded_before_the_alphabet_grew_is_mended(strangers: str) -> None:
    """New characters stand before, between, side by side, behind all known ones; few and many."""
    known = "ACEGIKM" * 40_000
    pieces = [known, *(known[:100] + stranger for stranger in strangers)]
    ids, alphabet = encoded(map(codes_of, pieces), 1)
    assert alphabet == sorted(set("".join(pieces)))
    assert np.array_equal(ids, Vocabulary(alphabet).encode("".join(pieces)))
