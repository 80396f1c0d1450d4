"""The option `--tokens`: the alphabet of a model whose file has none."""

import click

from charrnn_tui.cli.output import say
from charrnn_tui.text.text_file import CorpusError
from charrnn_tui.text.token_list import TokenListError, token_list


def _tokens(ctx: click.Context, param: click.Parameter, reference: str | None) -> list[str] | None:
    """The tokens; says on standard error what is assumed."""
    if reference is None:
        return None
    try:
        tokens, sentence = token_list(reference)
    except (TokenListError, CorpusError) as error:
        raise click.ClickException(f"--tokens: {error}") from None
    say(f"alphabet assumed, for the file has none: {sentence}")
    return tokens


tokens_option = click.option(
    "--tokens",
    metavar="printable|FILE|text:FILE",
    callback=_tokens,
    help="The alphabet of a model whose file has none, such as a bare state_dict: Python's string.printable; the "
    "characters of FILE in their order, or a JSON list or object there; or the sorted characters of the text FILE.",
)
