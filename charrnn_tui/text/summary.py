"""What a text is made of, in a few figures."""

from dataclasses import dataclass

from charrnn_tui.text.boilerplate import Boilerplate, find_boilerplate
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.lines import median_line_length
from charrnn_tui.text.long_text import character_counts


@dataclass(frozen=True)
class TextSummary:
    """line_feeds: how many. median_line_length: characters, of the lines that are not empty; None without any."""

    line_feeds: int
    median_line_length: int | None
    boilerplate: Boilerplate


def summarize(corpus: Corpus) -> TextSummary:
    """Read the whole text once, in constant memory: a second a gigabyte."""
    counts = character_counts(corpus.ids, len(corpus.vocabulary))
    line_feed = corpus.vocabulary.index.get("\n")
    return TextSummary(
        0 if line_feed is None else int(counts[line_feed]),
        median_line_length(corpus.ids, corpus.vocabulary),
        find_boilerplate(corpus),
    )
