"""The option --ngrams: the losses of n-gram models of a text, to compare a trained model with."""

import dataclasses
from collections.abc import Callable
from typing import Any

import click

from charrnn_tui.analysis.ngrams import LONGEST, TextTooLong, ngram_losses
from charrnn_tui.cli.model_text import progress_bar
from charrnn_tui.cli.options import Decorated
from charrnn_tui.runner.facts import loss_facts
from charrnn_tui.text.batches import TextTooShort
from charrnn_tui.text.long_text import bytes_per_char
from charrnn_tui.text.vocabulary import Ids, Vocabulary


def ngrams_option(sentence: str) -> Callable[[Decorated], Decorated]:
    """The option, with this help; it passes `ngrams`, the longest order, or None."""
    return click.option("--ngrams", type=click.IntRange(1, LONGEST), metavar="N", help=sentence)


def count_ngrams(train: Ids, held_out: Ids, vocabulary: Vocabulary, longest: int, file: str) -> list[dict[str, Any]]:
    """The orders `n`, their `loss` on the held-out text, nats/char, and its `bits_per_byte`, with a progress bar.

    file: begins the message. Raises ClickException for a text that is too short or too long.
    """
    of_text = bytes_per_char(held_out, vocabulary)
    try:
        with progress_bar(min(longest, len(train)), "counting") as bar:
            found = []
            for each in ngram_losses(train, held_out, len(vocabulary), longest):
                per_byte = loss_facts(each.loss, of_text)["bits_per_byte"]
                found.append(dataclasses.asdict(each) | {"bits_per_byte": per_byte})
                bar.update(1)
    except (TextTooShort, TextTooLong) as error:
        raise click.ClickException(f"{file}: {error}") from None
    return found
