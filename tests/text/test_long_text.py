"""Counting in a text piece by piece."""

import pytest

from charrnn_tui.text import long_text
from charrnn_tui.text.long_text import bytes_per_char
from charrnn_tui.text.vocabulary import Vocabulary


def test_bytes_a_character_are_those_of_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_text, "_CHUNK", 7)
    text = "aé世🙂\n" * 30 + "é"
    vocabulary = Vocabulary(sorted(set(text)))
    assert bytes_per_char(vocabulary.encode(text), vocabulary) == len(text.encode()) / len(text)
    assert bytes_per_char(vocabulary.encode(""), vocabulary) is None
