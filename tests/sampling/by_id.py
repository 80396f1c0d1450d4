"""The probabilities of a distribution by token id."""

import numpy as np

from charrnn_tui.sampling.distribution import Distribution


def before(distribution: Distribution) -> np.ndarray:
    """softmax of the logits, (n_tokens)."""
    return np.array([distribution.before_at(distribution.place_of(token)) for token in range(len(distribution.order))])


def after(distribution: Distribution) -> np.ndarray:
    """The probabilities that are drawn from, (n_tokens); 0 for what was dropped."""
    return np.array([distribution.after_at(distribution.place_of(token)) for token in range(len(distribution.order))])
