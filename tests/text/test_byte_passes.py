"""The compiled passes over bytes do what `bytes` does, whatever the length and wherever the line ends fall."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.text import corpus
from charrnn_tui.text.byte_passes import COMPILED, look_up, with_newlines
from charrnn_tui.text.corpus import load_corpus
from tests.compiled_needed import need

LINES = st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"a", b"word" * 20, b"\xc3\xa9"]), max_size=200).map(b"".join)


@pytest.fixture(autouse=True, scope="module")
def compiled() -> Iterator[None]:
    need(COMPILED)
    yield
    COMPILED.library = None  # the other texts are short: `bytes` reads them


@given(LINES)
def test_newlines_are_those_of_universal_newlines(data: bytes) -> None:
    assert with_newlines(data) == data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@given(st.binary(max_size=400), st.binary(min_size=256, max_size=256))
def test_bytes_are_looked_up_as_translate_does(data: bytes, table: bytes) -> None:
    assert look_up(data, table).tobytes() == data.translate(table)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_corpus_is_the_same_with_and_without_them(end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    letters = draw.choice(list("etaoin shrdlu\n"), 300_000)
    letters[[90_000, 150_001, 299_990]] = list("QZ0")  # the alphabet grows late, in front and in the middle
    letters[200_000:200_400] = list("\u00e9\u4e2d" * 200)  # and not all of it is bytes
    (tmp_path / "text.txt").write_text("".join(letters), encoding="utf-8", newline=end)
    monkeypatch.setattr(corpus, "WORTH_IT", 0)
    ours = load_corpus([tmp_path / "text.txt"])
    monkeypatch.setattr(COMPILED, "library", None)
    theirs = load_corpus([tmp_path / "text.txt"])
    np.testing.assert_array_equal(ours.ids, theirs.ids)
    assert (ours.vocabulary, ours.sha256) == (theirs.vocabulary, theirs.sha256)
    assert ours.vocabulary.decode(ours.ids) == "".join(letters)


def test_a_library_is_asked_for_where_a_text_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(COMPILED, "begin", lambda: asked.append(True))
    (tmp_path / "text.txt").write_text("a few words\n" * 10)
    load_corpus([tmp_path / "text.txt"])
    assert not asked
    monkeypatch.setattr(corpus, "WORTH_IT", 120)
    load_corpus([tmp_path / "text.txt"])
    assert asked
