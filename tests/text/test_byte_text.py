"""Bytes as characters: any file goes there and back, and bytes that are UTF-8 are shown as characters."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.run.settings import SettingsError, settings_for
from charrnn_tui.text.byte_text import ALL_BYTES, BYTES, in_bytes, joined, joined_at, joined_pieces, utf8
from charrnn_tui.text.corpus import load_corpus
from charrnn_tui.text.known_text import known_text
from charrnn_tui.text.long_text import bytes_per_char
from charrnn_tui.text.text_names import files_of
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.text.vocabulary import Vocabulary


@given(st.binary(max_size=60))
def test_any_bytes_are_characters_and_come_back(data: bytes) -> None:
    text = data.decode("ascii", "surrogateescape")
    assert utf8(text) == utf8(joined(text)) == data
    assert in_bytes(joined(text)) == in_bytes(text) == text
    assert "".join(joined_pieces(text)) == joined(text)
    places = {start: character for start, _, character in joined_at(text)}
    try:
        shown = data.decode()
    except UnicodeDecodeError:
        return
    assert "".join(places.values()) == "".join(char for char in shown if not char.isascii())


def test_a_file_is_read_as_it_is_with_an_alphabet_of_all_bytes(tmp_path: Path) -> None:
    file = tmp_path / "any.bin"
    file.write_bytes(b"\xef\xbb\xbfa\r\n\0\xff\xd1\x8f")
    assert files_of([str(tmp_path)], BYTES).files == (str(file),)  # a binary file is no other file here
    corpus = load_corpus([file], TextSettings(BYTES))
    assert corpus.vocabulary.tokens == ALL_BYTES
    assert corpus.vocabulary.of_bytes
    assert corpus.ids.tolist() == list(file.read_bytes())
    assert bytes_per_char(corpus.ids, corpus.vocabulary) == 1.0
    assert not Vocabulary("aя\udc80").of_bytes
    assert not Vocabulary("ab").of_bytes


def test_a_text_for_a_model_of_bytes_becomes_these() -> None:
    vocabulary = Vocabulary(ALL_BYTES)
    assert known_text("aя", vocabulary, "refuse", "the prime") == (in_bytes("aя"), "")
    assert vocabulary.known_part("я") == in_bytes("я")
    assert vocabulary.encode_known("я").tolist() == list("я".encode())


def test_bytes_have_no_rare_characters() -> None:
    with pytest.raises(SettingsError, match="bytes are all kept"):
        settings_for("quick", encoding=BYTES, min_count=2)
