"""Models that know nothing, of any size."""

from typing import Any

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.text.vocabulary import Vocabulary

TOKENS = ("b", "\n", "a", "é", "\U0001f600")  # not sorted: a checkpoint's order is its own


def random_checkpoint(
    n_hidden: int = 4, n_layers: int = 2, dtype: str = "float32", tokens: tuple[str, ...] = TOKENS, **facts: Any
) -> Checkpoint:
    """Every tensor filled with different numbers."""
    random = np.random.default_rng(n_hidden * 100 + n_layers)
    shapes = tensor_shapes(len(tokens), n_hidden, n_layers)
    weights = {name: random.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    return Checkpoint(weights, Vocabulary(tokens), n_hidden, n_layers, facts)


def same_bits(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two models are equal to the last bit, dtype and alphabet included."""
    assert (one.n_hidden, one.n_layers, one.vocabulary) == (other.n_hidden, other.n_layers, other.vocabulary)
    assert set(one.weights) == set(other.weights)
    return all(
        tensor.dtype == other.weights[name].dtype and tensor.tobytes() == other.weights[name].tobytes()
        for name, tensor in one.weights.items()
    )
