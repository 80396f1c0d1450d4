"""Whether a model writes short lines, such as names: its texts begin with a line, and several are printed as lines."""

from itertools import islice
from typing import Final

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Facts
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.distribution import log_probabilities
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.text.vocabulary import Vocabulary

USUAL_PRIME: Final = "The"  # the notebook's
SHORT: Final = 24  # characters of a line; Python's standard library has 38 at the median, a novel in print 63
TRIED: Final = 300  # characters: 60 ms at 2×512
RARE: Final = 0.005  # of empty lines: a text of paragraphs has more, a list of names has none


def writes_short_lines(model: CharModel, vocabulary: Vocabulary, facts: Facts) -> bool:
    """Whether the lines of the text that it was trained on are short.

    Its training has stored that. Of another file the model itself tells: it writes hardly any empty line, and its
    lines, in a text of 300 characters, are short on average.
    """
    stored = facts.get("median_line_length")
    line_feed = vocabulary.index.get("\n")
    if stored is not None or line_feed is None:
        return stored is not None and stored <= SHORT
    sampler = Sampler(model, vocabulary, seed=0, prime="\n")
    if np.exp(log_probabilities(sampler.logits)[line_feed]) > RARE:
        return False
    return sum(written.token_id == line_feed for written in islice(sampler, TRIED)) > TRIED // (SHORT + 1)


def usual_prime(vocabulary: Vocabulary, short_lines: bool) -> str:
    """What a text begins with by default: nothing if the model writes short lines or does not know USUAL_PRIME."""
    return "" if short_lines or vocabulary.unknown(USUAL_PRIME) else USUAL_PRIME
