"""A trained model: weights, alphabet, facts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.text.vocabulary import Vocabulary

Weights = Mapping[str, NDArray[np.floating]]


class CheckpointError(ValueError):
    """A file is not a checkpoint, or an inconsistent one; the message is one line."""


@dataclass(frozen=True)
class Checkpoint:
    """A CharRNN: tensors under the notebook's `state_dict` names, the alphabet in id order, and facts about it.

    With V tokens, H = n_hidden, L = n_layers: lstm.weight_ih_l0 (4H, V), lstm.weight_ih_lN (4H, H), lstm.weight_hh_lN
    (4H, H), lstm.bias_ih_lN and lstm.bias_hh_lN (4H,), fc.weight (V, H), fc.bias (V,); gates in the order i, f, g, o.
    `facts` are JSON-native: corpus, corpus_sha256, run, step, epoch, loss, val_loss with batch_size and seq_length, …
    """

    weights: Weights
    vocabulary: Vocabulary
    n_hidden: int
    n_layers: int
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise CheckpointError, naming the tensor, unless the tensors are those of these sizes, of floats."""
        if min(len(self.vocabulary), self.n_hidden, self.n_layers) < 1:
            raise CheckpointError("it has no tokens, no hidden units or no layers")
        expected = tensor_shapes(len(self.vocabulary), self.n_hidden, self.n_layers)
        for name, shape in expected.items():
            if name not in self.weights:
                raise CheckpointError(f"the tensor {name} is missing")
            if tuple(self.weights[name].shape) != shape:
                found = " × ".join(map(str, self.weights[name].shape))
                raise CheckpointError(f"the tensor {name} is {found}, expected {' × '.join(map(str, shape))}")
            if not np.issubdtype(self.weights[name].dtype, np.floating):
                raise CheckpointError(f"the tensor {name} is of type {self.weights[name].dtype}, not floating point")
        for name in self.weights:
            if name not in expected:
                raise CheckpointError(f"the tensor {name} has no place in a CharRNN of {self.n_layers} LSTM layers")

    @property
    def parameters(self) -> int:
        """The number of the model's parameters."""
        return sum(tensor.size for tensor in self.weights.values())

    @property
    def finite(self) -> bool:
        """Whether no weight is NaN or infinite."""
        return all(bool(np.isfinite(tensor).all()) for tensor in self.weights.values())


def tensor_shapes(tokens: int, n_hidden: int, n_layers: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a CharRNN, in the order of PyTorch's `state_dict`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(n_layers):
        shapes[f"lstm.weight_ih_l{layer}"] = (4 * n_hidden, tokens if layer == 0 else n_hidden)
        shapes[f"lstm.weight_hh_l{layer}"] = (4 * n_hidden, n_hidden)
        shapes[f"lstm.bias_ih_l{layer}"] = (4 * n_hidden,)
        shapes[f"lstm.bias_hh_l{layer}"] = (4 * n_hidden,)
    return shapes | {"fc.weight": (tokens, n_hidden), "fc.bias": (tokens,)}


def parameter_count(tokens: int, n_hidden: int, n_layers: int) -> int:
    """The number of parameters of a CharRNN of these sizes."""
    return sum(int(np.prod(shape)) for shape in tensor_shapes(tokens, n_hidden, n_layers).values())


def sizes_of(weights: Weights) -> tuple[int, int]:
    """(n_hidden, n_layers) from the tensors' names and shapes. Raises CheckpointError if these are inconsistent."""
    layers = [
        int(match[1]) for name in weights if (match := re.fullmatch(r"lstm\.weight_hh_l(0|[1-9][0-9]{0,3})", name))
    ]
    if not layers:
        raise CheckpointError("it has no LSTM (no tensor lstm.weight_hh_l0)")
    if sorted(layers) != list(range(len(layers))):
        raise CheckpointError(f"its LSTM layers are numbered {', '.join(map(str, sorted(layers)))}, not 0, 1, …")
    recurrent = weights["lstm.weight_hh_l0"]
    if recurrent.ndim != 2:
        raise CheckpointError(f"the tensor lstm.weight_hh_l0 has {recurrent.ndim} dimensions, expected 2")
    return int(recurrent.shape[1]), len(layers)


def one_line(text: str) -> str:
    """A message made one printable line; it may quote arbitrary characters from a foreign file."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(text.split()))
