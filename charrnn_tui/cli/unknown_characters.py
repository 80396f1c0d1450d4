"""The option for characters that a model does not know."""

import click

from charrnn_tui.cli.output import say
from charrnn_tui.text import known_text as texts
from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary

unknown_option = click.option(
    "--unknown",
    type=click.Choice(["refuse", "convert", "skip"]),
    default="refuse",
    show_default=True,
    help="Characters that the model does not know: name them and end; convert the text into the Unicode form that the "
    "model has, composed or decomposed, and what is left into its character for rare ones; or leave them out.",
)


def known_text(text: str, vocabulary: Vocabulary, unknown: str, source: str, error: type[click.ClickException]) -> str:
    """The text in characters of the model; those that are left out are named on standard error.

    unknown: the value of --unknown. source: begins the message. Raises `error` if the text has other characters and
    they are not to be converted or left out.
    """
    try:
        known, left_out = texts.known_text(text, vocabulary, unknown, source)
    except UnknownCharacters as problem:
        raise error(str(problem)) from None
    if left_out:
        say(left_out)
    return known
