"""The nearest known character: always one of the alphabet, or none."""

import string
from typing import Literal
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.text.nearest import FORMS, NearestKnown, in_known_form
from charrnn_tui.text.vocabulary import Vocabulary

ENGLISH = Vocabulary(sorted(set("\n" + string.printable[:95])))


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("é", "e"),
        ("É", "E"),
        ("ß", "s"),
        ("ø", "o"),
        ("Æ", "A"),
        ("“", '"'),
        ("”", '"'),
        ("„", '"'),
        ("’", "'"),
        ("«", '"'),
        ("—", "-"),
        ("–", "-"),
        ("−", "-"),
        ("…", "."),
        ("\N{NO-BREAK SPACE}", " "),
        ("\N{IDEOGRAPHIC SPACE}", " "),
        ("\t", " "),
        ("\r", "\n"),
        ("\N{LINE SEPARATOR}", "\n"),
        ("Ａ", "A"),
        ("７", "7"),
        ("٣", "3"),
        ("ﬁ", "f"),
        ("²", "2"),
        ("€", "$"),
        ("¿", "?"),
        ("´", "'"),
        ("e", "e"),
    ],
)
def test_a_character_is_replaced_by_what_a_person_would_type_for_it(typed: str, nearest: str) -> None:
    assert NearestKnown(ENGLISH).of(typed) == nearest


@pytest.mark.parametrize("stranger", ["☃", "字", "ж", "\x1b", "\x00", "\u200b", "\ud800", "\N{DIAERESIS}", "😀"])
def test_nothing_is_near_to_what_the_alphabet_has_no_relative_of(stranger: str) -> None:
    assert NearestKnown(ENGLISH).of(stranger) is None


@pytest.mark.parametrize(
    ("alphabet", "typed", "nearest"),
    [
        ("abc", "B", "b"),
        ("ABC", "b", "B"),
        ("жд", "Ж", "ж"),
        ("Ж", "ж", "Ж"),
        ("aé", "e", "é"),  # an accent is nearer than nothing
        ("é", "E", "é"),
        ("a”", '"', "”"),
        ("a–", "-", "–"),
        ("a ", "\n", " "),  # an alphabet of one long line
        ("ab", "[", None),
        ("a(", "[", "("),
    ],
)
def test_the_alphabet_decides_what_is_near(alphabet: str, typed: str, nearest: str | None) -> None:
    assert NearestKnown(Vocabulary(alphabet)).of(typed) == nearest


@given(st.text(min_size=1, max_size=20), st.characters())
def test_the_nearest_is_in_the_alphabet_or_there_is_none(alphabet: str, character: str) -> None:
    vocabulary = Vocabulary(sorted(set(alphabet)))
    found = NearestKnown(vocabulary).of(character)
    assert found is None or found in vocabulary.index
    if character in vocabulary.index:
        assert found == character


@given(st.text(min_size=1, max_size=20), st.text(max_size=40))
def test_replacing_keeps_every_character_s_place_in_the_form_that_is_known(alphabet: str, text: str) -> None:
    vocabulary = Vocabulary(sorted(set(alphabet)))
    nearest = NearestKnown(vocabulary)
    replaced, (converted, _) = nearest.replaced(text), in_known_form(text, vocabulary)
    assert len(replaced) == len(converted)
    for before, after in zip(converted, replaced, strict=True):
        assert after == (nearest.of(before) or before)


@pytest.mark.parametrize(("text_form", "model_form"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_text_in_the_other_unicode_form_is_converted(
    text_form: Literal["NFC", "NFD"], model_form: Literal["NFC", "NFD"]
) -> None:
    text, known = normalize(text_form, "dé\u00e9jà ひが"), normalize(model_form, "dé\u00e9jà ひが")
    vocabulary = Vocabulary(sorted(set(known)))
    assert in_known_form(text, vocabulary) == (known, FORMS[model_form])
    assert NearestKnown(vocabulary).replaced(text) == known


def test_a_text_that_is_known_or_in_no_form_known_stays_as_it_is() -> None:
    assert in_known_form("naïve", Vocabulary(sorted(set("naïve")))) == ("naïve", "")
    assert in_known_form("é☃", Vocabulary("ab")) == ("é☃", "")
    assert in_known_form("éáó", Vocabulary("aeo")) == ("éáó", "")  # three accents are as unknown as three letters
