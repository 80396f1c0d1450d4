"""A text read in pieces gets the ids that its whole would get."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.text.encoding import TextChanged, alphabet_of, encode_text
from charrnn_tui.text.vocabulary import Vocabulary

TEXTS = st.text(alphabet=st.characters(exclude_categories=[])) | st.text(alphabet="ab\xe9\u20ac\U0001f600")


@given(st.lists(TEXTS, max_size=4))
def test_the_alphabet_of_pieces_is_that_of_the_whole(texts: list[str]) -> None:
    whole = "".join(texts)
    assert alphabet_of(texts) == (sorted(set(whole)), len(whole))


@given(st.lists(TEXTS, max_size=4).filter(any))
def test_pieces_are_encoded_as_the_whole(texts: list[str]) -> None:
    whole = "".join(texts)
    alphabet = sorted(set(whole))
    ids = encode_text(texts, Vocabulary(alphabet), len(whole))
    assert ids.tolist() == [alphabet.index(char) for char in whole]
    assert not ids.flags.writeable


@pytest.mark.parametrize("size", [1, 255, 256, 257, 5_000, 65_535, 65_536, 70_000])
def test_an_alphabet_may_have_any_size(size: int) -> None:
    alphabet = [chr(code) for code in range(0x20, 0x20 + size + 0x800) if not 0xD800 <= code < 0xE000][:size]
    text = "".join(reversed(alphabet))
    found, length = alphabet_of([text])
    ids = encode_text([text], Vocabulary(found), length)
    assert found == alphabet
    assert ids.dtype == Vocabulary(alphabet).dtype
    assert np.array_equal(ids, np.arange(size)[::-1])


@pytest.mark.parametrize("texts", [["ab", "c"], ["ab", "aba"], ["a"]])
def test_a_text_that_is_another_in_the_second_pass_is_refused(texts: list[str]) -> None:
    alphabet, length = alphabet_of(["ab", "ab"])
    with pytest.raises(TextChanged):
        encode_text(texts, Vocabulary(alphabet), length)
