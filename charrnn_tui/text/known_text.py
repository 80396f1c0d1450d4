"""Characters that a model does not know, in a text for it: refused, converted or left out."""

from collections.abc import Iterable
from typing import Literal

from charrnn_tui.text.byte_text import in_bytes
from charrnn_tui.text.nearest import NearestKnown, in_known_form
from charrnn_tui.text.text_settings import RARE
from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary

Unknown = Literal["refuse", "convert", "skip"]


def known_text(text: str, vocabulary: Vocabulary, unknown: str, source: str) -> tuple[str, str]:
    """The text in characters of the alphabet, and a sentence that names those that were left out, or "".

    Of an alphabet of bytes: its bytes in UTF-8. unknown: refuse; convert the text into the Unicode form that the
    alphabet has, composed or decomposed, and what is still unknown into the character for rare ones, if it has that; or
    skip. source: begins the message. Raises UnknownCharacters, whose message says what to do, if the text has other
    characters and they are not to be left out.
    """
    if vocabulary.of_bytes:
        text = in_bytes(text)
    converted, form = in_known_form(text, vocabulary)
    if form and unknown == "convert":
        text, form = converted, ""
    missing = vocabulary.unknown(text)
    if not missing:
        return text, ""
    named = UnknownCharacters(missing)
    replaced = sum(map(len, missing.values()))
    if unknown == "convert" and RARE in vocabulary.index:
        known = "".join(RARE if char in missing else char for char in text)
        return known, f"{replaced:,} of {len(text):,} characters replaced by {RARE}: {named}"
    if unknown != "skip":
        way = f"; the model has {form}: try --unknown convert" if form else _nearest(missing, vocabulary)
        if RARE in vocabulary.index and not form:
            way = f"; the model has {RARE} for rare characters: try --unknown convert"
        message = f"{source} has characters {named}{way}; leave them out with --unknown skip"
        raise UnknownCharacters(missing, message)
    return vocabulary.known_part(text), f"{replaced:,} of {len(text):,} characters left out: {named}"


def _nearest(missing: Iterable[str], vocabulary: Vocabulary) -> str:
    """A clause that names, for up to five of these, the nearest character of the model; empty if there are none."""
    nearest = NearestKnown(vocabulary)
    pairs = [(char, near) for char in missing if (near := nearest.of(char)) is not None]
    named = ", ".join(f"{near!r} for {char!r}" for char, near in pairs[:5])
    return f"; did you mean {named}" if named else ""
