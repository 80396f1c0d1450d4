"""A model of short lines, made by hand: a letter or a line feed follows a letter, a letter follows a line feed."""

from typing import Any

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.text.vocabulary import Vocabulary

LETTERS = "adeilmn"


def lines_checkpoint(line_feed_after_letter: float = 1 / 6, **facts: Any) -> Checkpoint:
    """One hidden unit that tells whether the last character was a line feed, and 0.76 of it or of its opposite.

    line_feed_after_letter: its probability, so that lines have one letter less than its inverse on average.
    """
    vocabulary = Vocabulary("\n" + LETTERS)
    weights = {name: np.zeros(shape, np.float32) for name, shape in tensor_shapes(len(vocabulary), 1, 1).items()}
    weights["lstm.bias_ih_l0"][:] = [20, -20, 0, 20]  # i open, f closed, o open
    weights["lstm.weight_ih_l0"][2] = [20, *[-20] * len(LETTERS)]  # g: 1 for a line feed, -1 for a letter
    odds, unit = line_feed_after_letter / (1 - line_feed_after_letter) * len(LETTERS), np.tanh(1.0)
    weights["fc.weight"][0, 0] = -10.0  # e^-15 after a line feed
    weights["fc.bias"][0] = np.log(odds) - 10.0 * unit
    return Checkpoint(weights, vocabulary, 1, 1, facts)
