"""The alphabet: order, size of ids, encoding by look-up, strangers by name and place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary

TEXTS = st.text(min_size=1, max_size=80)


def test_a_checkpoint_s_order_is_kept() -> None:
    vocabulary = Vocabulary(["z", "a", "\n"])
    assert vocabulary.tokens == ("z", "a", "\n")
    assert vocabulary.encode("a\nz").tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("tokens", "dtype"), [(1, "uint8"), (256, "uint8"), (257, "uint16"), (65_536, "uint16"), (65_537, "uint32")]
)
def test_ids_are_as_small_as_they_fit(tokens: int, dtype: str) -> None:
    assert Vocabulary(map(chr, range(tokens))).dtype == np.dtype(dtype)


def test_the_last_id_of_a_full_dtype_does_not_overflow() -> None:
    text = "".join(chr(0x4E00 + number) for number in range(256))
    ids = Vocabulary(sorted(set(text))).encode(text)
    assert ids.dtype == np.uint8
    assert ids.tolist() == list(range(256))


@given(TEXTS)
def test_decoding_gives_back_what_was_encoded(text: str) -> None:
    vocabulary = Vocabulary(sorted(set(text)))
    ids = vocabulary.encode(text)
    assert ids.dtype == vocabulary.dtype
    assert vocabulary.decode(ids) == text


@given(TEXTS, TEXTS)
def test_encoding_is_the_notebook_s_dictionary_look_up(alphabet: str, text: str) -> None:
    vocabulary = Vocabulary(sorted(set(alphabet)))
    char2int = {char: number for number, char in enumerate(sorted(set(alphabet)))}
    assert vocabulary.encode_known(text).tolist() == [char2int[char] for char in text if char in char2int]


@given(TEXTS, TEXTS)
def test_every_stranger_is_named_with_all_its_positions(alphabet: str, text: str) -> None:
    strangers = Vocabulary(sorted(set(alphabet))).unknown(text)
    expected = {char: [i for i, other in enumerate(text) if other == char] for char in text if char not in alphabet}
    assert strangers == expected
    assert list(strangers) == list(expected)


def test_the_message_names_characters_code_points_and_positions() -> None:
    with pytest.raises(UnknownCharacters) as caught:
        Vocabulary("abc").encode("aéb\U0001f600é")
    assert caught.value.positions == {"é": [1, 4], "\U0001f600": [3]}
    assert str(caught.value) == (
        "not in the model's alphabet: 'é' (U+00E9) at position 1, 4; '\U0001f600' (U+1F600) at position 3"
    )


def test_the_message_stays_short_however_many_strangers_there_are() -> None:
    with pytest.raises(UnknownCharacters) as caught:
        Vocabulary("a").encode("bbbbbbb" + "cdefg")
    assert "'b' (U+0062) at position 0, 1, 2, 3, 4 and 2 more" in str(caught.value)
    assert str(caught.value).endswith("; and 1 other character")


def test_a_stranger_beyond_the_first_million_characters_is_found() -> None:
    text = "ab" * 600_000 + "c"
    with pytest.raises(UnknownCharacters, match="position 1200000"):
        Vocabulary("ab").encode(text)


def test_nothing_encodes_to_nothing() -> None:
    vocabulary = Vocabulary("ab")
    assert vocabulary.encode("").shape == (0,)
    assert vocabulary.unknown("") == {}


@pytest.mark.parametrize(
    ("tokens", "message"),
    [([], "empty"), (["a", "a"], "twice"), (["ab"], "one character"), ([""], "one character"), ([1], "one character")],
)
def test_tokens_that_are_no_alphabet_are_refused(tokens: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Vocabulary(tokens)


def test_vocabularies_are_equal_where_their_tokens_are() -> None:
    assert Vocabulary("ab") == Vocabulary(["a", "b"])
    assert hash(Vocabulary("ab")) == hash(Vocabulary(["a", "b"]))
    assert Vocabulary("ab") != Vocabulary(["b", "a"])
    assert "ab" in repr(Vocabulary("ab"))


def test_an_id_outside_the_alphabet_is_an_error() -> None:
    with pytest.raises(IndexError):
        Vocabulary("ab").decode([2])


def test_the_known_part_of_a_text_is_what_is_encoded_of_it() -> None:
    vocabulary = Vocabulary("abc")
    assert vocabulary.known_part("xaébxc") == "abc"
    assert vocabulary.encode(vocabulary.known_part("xaébxc")).tolist() == vocabulary.encode_known("xaébxc").tolist()
    assert vocabulary.known_part("") == ""
