"""A trained model: weights, alphabet, facts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast, get_type_hints

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.run.decoding import Count, Finite, readable
from charrnn_tui.run.settings import SETTINGS_TYPES
from charrnn_tui.text.byte_text import BYTES
from charrnn_tui.text.vocabulary import Vocabulary

CELLS = {"lstm": 4, "gru": 3, "rnn": 1}  # the recurrent cells, and the gates whose rows stand in each of their tensors
LAYER_TENSORS = "weight_ih", "weight_hh", "bias_ih", "bias_hh"
MOST_MESSAGE = 1000  # characters
Weights = Mapping[str, NDArray[np.floating]]


class Facts(TypedDict, total=False):
    """What a checkpoint may say about its training. Losses in nats/char, val_loss in batches of this geometry.

    settings: those of the training, in JSON. weights: the type that kept weights were rounded to. median_line_length:
    characters, of the text's lines that are not empty. bytes_per_char: in UTF-8, of the part that validations read.
    """

    format_version: Count
    cell: str
    n_hidden: Count
    n_layers: Count
    run: str | None
    corpus: str | None
    corpus_sha256: str | None
    chars: Count | None
    bytes_per_char: Finite | None
    median_line_length: Count | None
    step: Count | None
    steps: Count | None
    epoch: Count | None
    epochs: Count | None
    loss: Finite | None
    val_loss: Finite | None
    best_val_loss: Finite | None
    last_val_loss: Finite | None
    last_val_step: Count | None
    batch_size: Count | None
    seq_length: Count | None
    val_frac: Finite | None
    device: str | None
    precision: str | None
    weights: str | None
    settings: dict[str, Any]
    versions: dict[str, str]


FACT_TYPES: Mapping[str, Any] = get_type_hints(Facts, include_extras=True)


def read_facts(values: Mapping[str, Any]) -> tuple[Facts, list[str]]:
    """The facts that are known and of the type that they should have, and the names of the others."""
    facts, left_out = readable(values, FACT_TYPES)
    if "settings" in facts:
        facts["settings"], damaged = readable(facts["settings"], SETTINGS_TYPES)
        left_out += [f"settings.{name}" for name in damaged]
    return cast(Facts, facts), left_out


class CheckpointError(ValueError):
    """A file is not a checkpoint, or an inconsistent one; the message is one line."""


@dataclass(frozen=True)
class Checkpoint:
    """A CharRNN: tensors under the notebook's `state_dict` names, the alphabet in id order, and facts about it.

    With V tokens, H = n_hidden, L = n_layers: lstm.weight_ih_l0 (4H, V), lstm.weight_ih_lN (4H, H), lstm.weight_hh_lN
    (4H, H), lstm.bias_ih_lN and lstm.bias_hh_lN (4H,), fc.weight (V, H), fc.bias (V,); gates in the order i, f, g, o.
    A GRU has `gru` in the place of `lstm`, 3H rows and the order r, z, n; a plain RNN, of tanh, `rnn` and H rows.
    """

    weights: Weights
    vocabulary: Vocabulary
    n_hidden: int
    n_layers: int
    facts: Facts = field(default_factory=lambda: Facts())

    def __post_init__(self) -> None:
        """Raise CheckpointError, naming the tensor, unless the tensors are those of these sizes, of floats."""
        if min(len(self.vocabulary), self.n_hidden, self.n_layers) < 1:
            raise CheckpointError("it has no tokens, no hidden units or no layers")
        expected = tensor_shapes(len(self.vocabulary), self.n_hidden, self.n_layers, self.cell)
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
                raise CheckpointError(
                    f"the tensor {name} has no place in a CharRNN of {self.n_layers} {self.cell.upper()} layers"
                )

    @property
    def cell(self) -> str:
        """Its recurrent cell, one of CELLS."""
        return cell_of(self.weights)

    def text_encoding(self, given: str | None) -> str:
        """In which a file for it is read: the one that is given, else BYTES for an alphabet of bytes, else UTF-8."""
        return given or (BYTES if self.vocabulary.of_bytes else "utf-8")

    @property
    def parameters(self) -> int:
        """The number of the model's parameters."""
        return sum(tensor.size for tensor in self.weights.values())

    @property
    def finite(self) -> bool:
        """Whether no weight is NaN or infinite."""
        return all(bool(np.isfinite(tensor).all()) for tensor in self.weights.values())


def tensor_shapes(tokens: int, n_hidden: int, n_layers: int, cell: str = "lstm") -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a CharRNN, in the order of PyTorch's `state_dict`."""
    shapes: dict[str, tuple[int, ...]] = {}
    rows = CELLS[cell] * n_hidden
    for layer in range(n_layers):
        inputs = tokens if layer == 0 else n_hidden
        layer_shapes = (rows, inputs), (rows, n_hidden), (rows,), (rows,)
        shapes |= {f"{cell}.{part}_l{layer}": shape for part, shape in zip(LAYER_TENSORS, layer_shapes, strict=True)}
    return shapes | {"fc.weight": (tokens, n_hidden), "fc.bias": (tokens,)}


def cell_of(weights: Weights) -> str:
    """The recurrent cell that the tensors' names tell, one of CELLS; `lstm` where they tell none."""
    return next((cell for cell in CELLS if any(name.startswith(f"{cell}.") for name in weights)), "lstm")


def sizes_of(weights: Weights) -> tuple[int, int]:
    """(n_hidden, n_layers) from the tensors' names and shapes. Raises CheckpointError if these are inconsistent."""
    cell = cell_of(weights)
    pattern = rf"{cell}\.weight_hh_l(0|[1-9][0-9]{{0,3}})"
    layers = [int(match[1]) for name in weights if (match := re.fullmatch(pattern, name))]
    if not layers:
        raise CheckpointError(f"it has no LSTM, GRU or RNN (no tensor {cell}.weight_hh_l0)")
    if sorted(layers) != list(range(len(layers))):
        raise CheckpointError(
            f"its {cell.upper()} layers are numbered {', '.join(map(str, sorted(layers)))}, not 0, 1, …"
        )
    recurrent = weights[f"{cell}.weight_hh_l0"]
    if recurrent.ndim != 2:
        raise CheckpointError(f"the tensor {cell}.weight_hh_l0 has {recurrent.ndim} dimensions, expected 2")
    return int(recurrent.shape[1]), len(layers)


def one_line(text: str) -> str:
    """A message made one printable line, not too long; it may quote anything from a foreign file."""
    line = " ".join(text[:MOST_MESSAGE].split())
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
