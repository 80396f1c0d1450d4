"""Texts without their rare characters."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.text.corpus import CorpusError, load_corpus, read_as_trained
from charrnn_tui.text.text_file import TextFile
from charrnn_tui.text.text_settings import AS_IT_IS, RARE, TextSettings
from charrnn_tui.text.text_source import TextSource


class Pieces(TextFile):
    """A text that is there, in these pieces."""

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces

    def texts(self):  # type: ignore[no-untyped-def]
        return iter(self._pieces)


ALPHABET = "ab\n-]^\\é\u20ac\U0001f600\ufffd"


@given(st.lists(st.text(alphabet=ALPHABET, max_size=30), max_size=4), st.integers(1, 6))
def test_rare_characters_are_those_that_are_counted_less_often(pieces: list[str], least: int) -> None:
    whole, counts = "".join(pieces), Counter("".join(pieces))
    source = TextSource([Pieces(pieces)], TextSettings(min_count=least))
    if whole and all(count < least for count in counts.values()):
        with pytest.raises(CorpusError, match=f"--min-count {least}: no character of the text occurs so often"):
            list(source.texts())
        return
    expected = "".join(char if counts[char] >= least or char == "\n" else RARE for char in whole)
    assert "".join(source.texts()) == expected


def test_rare_characters_are_counted_in_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("§§§ab漢ab字ab§")
    corpus = load_corpus([path], TextSettings(skip_head=3, min_count=2))
    assert corpus.vocabulary.tokens == ("a", "b", RARE)
    assert corpus.vocabulary.decode(corpus.ids) == f"ab{RARE}ab{RARE}ab{RARE}"
    cached = load_corpus([path], TextSettings(skip_head=3, min_count=2), tmp_path / "cache", cached_from_bytes=1)
    assert cached.ids.tolist() == corpus.ids.tolist()
    assert len(load_corpus([path], AS_IT_IS, tmp_path / "cache", cached_from_bytes=1).vocabulary) == 5


def test_a_text_is_read_again_as_it_was_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("ab漢ab字ab")
    facts = {"settings": {"min_count": 2}, "corpus_sha256": load_corpus([path]).sha256}
    text, settings = read_as_trained(path, "utf-8", facts)
    assert (text, settings.min_count) == (f"ab{RARE}ab{RARE}ab", 2)
    path.write_text("another 漢")
    assert read_as_trained(path, "utf-8", facts) == ("another 漢", AS_IT_IS)


def test_what_is_changed_is_said() -> None:
    assert (AS_IT_IS.changes, AS_IT_IS.said) == ({}, "")
    settings = TextSettings(skip_tail=1200, min_count=5)
    assert settings.changes == {"skip_tail": 1200, "min_count": 5}
    assert settings.said == f"without the last 1,200 characters, {RARE} for those that occur less than 5 times"
    assert TextSettings(skip_head=1, skip_tail=2).said == "without the first 1 and the last 2 characters"
    assert TextSettings.of({"skip_head": 3, "lr": 0.1, "min_count": None}) == TextSettings(skip_head=3)
