"""Alphabets that a user names, for models whose files have none: in the order of the model's inputs."""

import string
from typing import Final

from charrnn_tui.run.decoding import DecodingError, decode
from charrnn_tui.text.corpus import read_text

PRINTABLE: Final = "printable"
_OF_A_TEXT: Final = "text:"


class TokenListError(ValueError):
    """No alphabet can be made of what was named; the message is one line."""


def token_list(reference: str) -> tuple[list[str], str]:
    """The tokens that `printable`, `text:FILE` or FILE means, and a sentence that says what is assumed of them.

    FILE is a JSON list of characters, a JSON object of characters and their numbers, or the characters themselves, one
    after another. Raises TokenListError, or CorpusError for a file that cannot be read.
    """
    if reference == PRINTABLE:
        tokens = list(string.printable)
        return tokens, f"the {len(tokens)} characters of Python's string.printable, in its order"
    if reference.startswith(_OF_A_TEXT):
        file = reference.removeprefix(_OF_A_TEXT)
        tokens = sorted(set(read_text(file)))
        return tokens, f"the {len(tokens)} different characters of {file}, sorted, as sorted(set(text)) gives them"
    tokens = _listed(reference, read_text(reference))
    if len(set(tokens)) < len(tokens):
        twice = next(token for place, token in enumerate(tokens) if token in tokens[:place])
        raise TokenListError(
            f"{reference}: {twice!r} stands there twice, so it is no alphabet; "
            f"the characters of a text are text:{reference}"
        )
    return tokens, f"the {len(tokens)} characters of {reference}, in its order"


def _listed(file: str, text: str) -> list[str]:
    try:
        if text.lstrip().startswith("["):
            return decode(text, list[str])
        numbers = decode(text, dict[str, int])
    except DecodingError:  # no JSON of this kind: the characters themselves
        return list(text)
    if set(numbers.values()) != set(range(len(numbers))):
        raise TokenListError(f"{file}: does not number its {len(numbers)} characters 0, 1, …")
    return sorted(numbers, key=numbers.__getitem__)
