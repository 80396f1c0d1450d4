"""Properties of characters, marked by hand under the text."""

import pytest

from charrnn_tui.analysis.probes import PROBES, labels_of


@pytest.mark.parametrize(
    ("probe", "text", "marks"),
    [
        ("quotes", 'He said: "No," and "yes', "         ^^^^          "),
        ("quotes", "«a» “b”", "^^  ^^ "),
        ("quotes", '"open\n\nnext" "', "^^^^^      ^^ "),
        ("brackets", "a (b [c] d) e)", "  ^^^^^^^^    "),
        ("brackets", "(a\n\nb) (c", "^^     ^^"),
        ("sentence-end", "Is it? Yes. v1.2 “No!”", "     ^    ^         ^ "),
        ("word", "an I", "^   "),
        ("capital-next", "a Bc É", " ^  ^ "),
        ("indentation", "  a b\n\tc", "^^    ^ "),
        ("late-in-line", "abcd\nef", "  ^^^  "),
        ("/b.?/", "abc/ab", " ^^  ^"),
    ],
)
def test_a_probe_marks_the_characters_that_have_the_property(probe: str, text: str, marks: str) -> None:
    found = "".join("^" if label else " " for label in labels_of(probe, text))
    assert found == marks


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_has_one_label_for_each_character(probe: str) -> None:
    for text in ("", "a", '"', "\n\n", "(((", "😀 “x”\n"):
        assert PROBES[probe](text).shape == (len(text),)


def test_an_unclosed_quotation_of_a_thousand_characters_is_none() -> None:
    assert not PROBES["quotes"]('"' + "a" * 1500 + '"').any()


@pytest.mark.parametrize(
    ("probe", "problem"), [("/(/", "no regular expression"), ("quote", "is not one of"), ("//", "nor")]
)
def test_what_is_neither_a_property_nor_a_pattern_is_refused(probe: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        labels_of(probe, "abc")


def test_a_span_counts_from_one_and_has_both_its_ends() -> None:
    assert labels_of("2-4", "abcdef").tolist() == [False, True, True, True, False, False]
    assert labels_of("5-99", "abcdef").tolist() == [False] * 4 + [True] * 2
    with pytest.raises(ValueError, match=r"^7-9: the text has 6 characters$"):
        labels_of("7-9", "abcdef")
    for wrong in ("0-4", "4-2", "2-", "-2", "\u0662-\u0664"):
        with pytest.raises(ValueError, match="a span such as 120-180"):
            labels_of(wrong, "abcdef")
