"""Alphabets that a user names."""

import json
import string
from pathlib import Path

import pytest

from charrnn_tui.text.token_list import TokenListError, token_list


def written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def test_printable_is_pythons() -> None:
    tokens, sentence = token_list("printable")
    assert "".join(tokens) == string.printable
    assert "100 characters" in sentence


@pytest.mark.parametrize("form", [list, lambda tokens: {token: number for number, token in enumerate(tokens)}, "".join])
def test_a_file_lists_its_characters_in_order(tmp_path: Path, form: object) -> None:
    tokens = ["b", "\n", "é", "a", "["]
    stored = form(tokens)  # type: ignore[operator]
    text = (
        stored
        if isinstance(stored, str)
        else json.dumps(dict(reversed(stored.items())) if isinstance(stored, dict) else stored)
    )
    assert token_list(written(tmp_path / "t", text))[0] == tokens


@pytest.mark.parametrize("text", ["[]a", "[", "{b", "[a]{", '["a'])
def test_characters_that_only_begin_like_json_are_characters(tmp_path: Path, text: str) -> None:
    assert token_list(written(tmp_path / "t", text))[0] == list(text)


def test_a_text_gives_its_characters_sorted(tmp_path: Path) -> None:
    file = written(tmp_path / "text", "banana\n")
    tokens, sentence = token_list(f"text:{file}")
    assert tokens == ["\n", "a", "b", "n"]
    assert f"the 4 different characters of {file}, sorted" in sentence


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("banana", "'a' stands there twice, so it is no alphabet; the characters of a text are text:"),
        ('{"a": 0, "b": 2}', "does not number its 2 characters 0, 1, …"),
    ],
)
def test_what_is_no_alphabet_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TokenListError, match=": ") as caught:
        token_list(written(tmp_path / "t", text))
    assert message in str(caught.value)
