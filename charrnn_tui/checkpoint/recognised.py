"""The tensors of a model that other code has made, found by their names' endings and their shapes, under our names.

What is understood: one-hot characters or an embedding, then LSTM, GRU or RNN layers of one size, whatever they are
called and whether they are one module or several, or cells, then a linear layer. The embedding E is folded into the
input weights of the first layer, W · E, so that nothing has to be known of it later.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import CELLS, LAYER_TENSORS, CheckpointError

Array = NDArray[np.floating]
_RECURRENT = re.compile(r"(?:(.*)\.)?((?:weight|bias)_(?:ih|hh|hr))(?:_l(\d{1,4}))?(_reverse)?")
_OTHER = re.compile(r"(?:(.*)\.)?(weight|bias)")
_EMBEDDING = re.compile(r"emb|enc|wte|lookup", re.IGNORECASE)  # in a name, where shapes leave it open
UNDERSTOOD = "a CharRNN: an embedding or none, LSTM, GRU or RNN layers, one linear layer"


@dataclass
class _Parts:
    """layers: by module and number within it. others: by name, each with its weight, its bias or both."""

    layers: dict[tuple[str, int], dict[str, Array]] = field(default_factory=dict)
    others: dict[str, dict[str, Array]] = field(default_factory=dict)


def is_recurrent(name: str) -> bool:
    """Whether a tensor of this name is of a recurrent layer."""
    return _RECURRENT.fullmatch(name) is not None


def recognised(tensors: Mapping[str, Array], allow: Callable[[int], None]) -> dict[str, Array]:
    """The tensors under the names of a `Checkpoint`. Raises CheckpointError that names the part not understood.

    allow: called with the bytes of an array before it is made, as `TorchFile.allow`.
    """
    parts = _sorted(tensors)
    if not parts.layers:
        raise CheckpointError("it has no LSTM, GRU or RNN: no tensor whose name ends in weight_hh_l0 or weight_hh")
    cell, weights = _recurrent_weights(parts)
    output, embedding = _output_and_embedding(parts, weights[f"{cell}.weight_hh_l0"], weights[f"{cell}.weight_ih_l0"])
    if embedding is not None:
        inputs, vectors = weights[f"{cell}.weight_ih_l0"], parts.others[embedding]["weight"]
        allow(len(inputs) * len(vectors) * np.result_type(inputs, vectors, np.float32).itemsize)
        weights[f"{cell}.weight_ih_l0"] = _folded(inputs, embedding, vectors)
    fc = parts.others[output]
    return weights | {"fc.weight": fc["weight"], "fc.bias": _or_zeros(fc.get("bias"), fc["weight"])}


def _sorted(tensors: Mapping[str, Array]) -> _Parts:
    parts = _Parts()
    for name, tensor in tensors.items():
        if match := _RECURRENT.fullmatch(name):
            module, part, number, reverse = match.groups()
            if reverse:
                raise CheckpointError(
                    "its recurrent layers are bidirectional; a model that generates text can only read forwards"
                )
            if part == "weight_hr":
                raise CheckpointError(f"the tensor {name} is a projection of an LSTM's output, which is not understood")
            parts.layers.setdefault((module or "", int(number or 0)), {})[part] = tensor
        elif match := _OTHER.fullmatch(name):
            parts.others.setdefault(match[1] or "", {})[match[2]] = tensor
        else:
            raise CheckpointError(f"the tensor {name} has no place in {UNDERSTOOD}")
    return parts


def _recurrent_weights(parts: _Parts) -> tuple[str, dict[str, Array]]:
    """The cell, told by the rows of its matrices, and the tensors of its layers, from the first one up."""
    weights: dict[str, Array] = {}
    cells = set()
    for number, place in enumerate(sorted(parts.layers, key=_natural)):
        layer, name = parts.layers[place], ".".join(filter(None, [place[0], f"weight_hh_l{place[1]}"]))
        recurrent, inputs = layer.get("weight_hh"), layer.get("weight_ih")
        if recurrent is None or inputs is None:
            raise CheckpointError(f"of the layer of {name} a tensor is missing")
        rows, columns = recurrent.shape if recurrent.ndim == 2 else (0, 0)
        cell = next((cell for cell, gates in CELLS.items() if columns and rows == gates * columns), None)
        if inputs.ndim != 2 or cell is None:
            raise CheckpointError(f"the tensor {name}, {_shape(recurrent)}, is of no LSTM, GRU or RNN")
        cells.add(cell)
        biases = (_or_zeros(layer.get(part), recurrent) for part in LAYER_TENSORS[2:])
        for part, tensor in zip(LAYER_TENSORS, (inputs, recurrent, *biases), strict=True):
            weights[f"{cell}.{part}_l{number}"] = tensor
    if len(cells) > 1:
        raise CheckpointError(f"its layers are of several kinds: {', '.join(sorted(cells))}")
    return cells.pop(), weights


def _natural(place: tuple[str, int]) -> list[tuple[bool, int, str]]:
    """`rnn10` comes after `rnn2`."""
    pieces = re.split(r"(\d+)", f"{place[0]}.{place[1]}")
    return [(piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece) for piece in pieces]


def _output_and_embedding(parts: _Parts, recurrent: Array, inputs: Array) -> tuple[str, str | None]:
    """The names of the linear layer and of the embedding, if there is one."""
    for name, part in parts.others.items():
        weight = part.get("weight")
        if weight is None or weight.ndim != 2:
            tensor = ".".join(filter(None, [name, next(iter(part))]))
            shape = _shape(next(iter(part.values())))
            raise CheckpointError(f"the tensor {tensor} has no place in {UNDERSTOOD}; it is {shape}")
    n_hidden = recurrent.shape[1]
    outputs = [name for name, part in parts.others.items() if part["weight"].shape[1] == n_hidden]
    if len(outputs) > 1:  # an embedding is as wide as the hidden state; it has no bias
        outputs = [name for name in outputs if "bias" in parts.others[name]] or outputs
    if len(outputs) > 1:
        outputs = [name for name in outputs if not _EMBEDDING.search(name)] or outputs
    if not outputs:
        raise CheckpointError(f"it has no linear layer behind its {n_hidden} hidden units")
    output = outputs[-1]
    others = [name for name in parts.others if name != output]
    embedding = next((name for name in others if "bias" not in parts.others[name]), None)
    for name in others:
        if name != embedding:
            raise CheckpointError(f"the tensor {name}.weight has no place in {UNDERSTOOD}")
    return output, embedding


def _or_zeros(bias: Array | None, weight: Array) -> Array:
    """What a layer without biases adds."""
    return np.zeros(weight.shape[0], weight.dtype) if bias is None else bias


def _folded(inputs: Array, name: str, embedding: Array) -> Array:
    """W_ih · Eᵀ, (G·H, E) by (V, E) to (G·H, V): what both make of a one-hot character."""
    if inputs.ndim != 2 or inputs.shape[1] != embedding.shape[1]:
        shapes = _shape(embedding), _shape(inputs)
        raise CheckpointError(
            f"the tensor {name}.weight, {shapes[0]}, is no embedding for input weights of {shapes[1]}"
        )
    with np.errstate(all="ignore"):  # of huge weights; a network is not made of infinite ones
        folded: Array = np.matmul(inputs, embedding.T, dtype=np.result_type(inputs, embedding, np.float32))
    return folded


def _shape(tensor: Array) -> str:
    return " × ".join(map(str, tensor.shape))
