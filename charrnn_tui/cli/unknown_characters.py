"""Characters that a model does not know, in a text for it: refused, converted or left out."""

from collections.abc import Iterable

import click

from charrnn_tui.cli.output import say
from charrnn_tui.text.nearest import NearestKnown, in_known_form
from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary

unknown_option = click.option(
    "--unknown",
    type=click.Choice(["refuse", "convert", "skip"]),
    default="refuse",
    show_default=True,
    help="Characters that the model does not know: name them and end; convert the text into the Unicode form that the "
    "model has, composed or decomposed; or leave them out.",
)


def known_text(text: str, vocabulary: Vocabulary, unknown: str, source: str, error: type[click.ClickException]) -> str:
    """The text in characters of the model. unknown: the value of --unknown. source: begins the message.

    Raises `error` if the text has other characters and they are not to be converted or left out.
    """
    converted, form = in_known_form(text, vocabulary)
    if form and unknown == "convert":
        text, form = converted, ""
    missing = vocabulary.unknown(text)
    if not missing:
        return text
    named = UnknownCharacters(missing)
    if unknown != "skip":
        way = f"; the model has {form}: try --unknown convert" if form else _nearest(missing, vocabulary)
        raise error(f"{source} has characters {named}{way}; leave them out with --unknown skip")
    left_out = sum(map(len, missing.values()))
    say(f"{left_out:,} of {len(text):,} characters left out: {named}")
    return vocabulary.known_part(text)


def _nearest(missing: Iterable[str], vocabulary: Vocabulary) -> str:
    """A clause that names, for up to five of these, the nearest character of the model; empty if there are none."""
    nearest = NearestKnown(vocabulary)
    pairs = [(char, near) for char in missing if (near := nearest.of(char)) is not None]
    named = ", ".join(f"{near!r} for {char!r}" for char, near in pairs[:5])
    return f"; did you mean {named}" if named else ""
