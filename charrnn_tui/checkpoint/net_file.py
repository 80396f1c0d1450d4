"""The notebook's `.net` files (cells 34 and 42): a dictionary of sizes, tokens and a `state_dict`, saved by torch.

Read without torch and without running code. Files in the wild differ, and are read all the same: zip and older
containers, tensors saved on a GPU, keys in any order and under other names, prefixes of wrappers, tokens as tuple,
list, text, array or dictionary, an embedding before the LSTM. Tensors keep their bits; bfloat16 becomes float32.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError, one_line, sizes_of
from charrnn_tui.checkpoint.torch_file import Array, Tensor, TorchFile
from charrnn_tui.text.vocabulary import Vocabulary

_WEIGHTS: Final = ("state_dict", "model_state_dict", "model")  # keys under which the state_dict is found
_TOKENS: Final = ("tokens", "chars", "int2char", "itos", "char2int", "stoi")
_PREFIX: Final = r"(?:(?:module|_orig_mod|model|net)\.)*"  # of DataParallel, torch.compile, a wrapping module
_LSTM: Final = re.compile(_PREFIX + r"(?:lstm|rnn)\.((?:weight|bias)_(?:ih|hh)_l\d+)")
_OTHER: Final = re.compile(_PREFIX + r"([A-Za-z_]\w*)\.(weight|bias)")
_MOST_TOKENS: Final = 0x110000  # there are no more characters


def read_net(path: Path) -> Checkpoint:
    """Read a `.net` file. Raises CheckpointError, one line that begins with the path."""
    try:
        data = path.read_bytes()
        if not data.startswith((b"PK", b"\x80\x02")):
            raise CheckpointError(f"is not a checkpoint: it is {'not a torch file' if data else 'empty'}")
        file = TorchFile(data)
        return _assemble(file, file.values)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {one_line(str(error))}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None


def _assemble(file: TorchFile, loaded: Any) -> Checkpoint:
    if not isinstance(loaded, Mapping):
        raise CheckpointError(f"is a torch file, but holds a {type(loaded).__name__}, not the notebook's dictionary")
    if loaded and all(isinstance(value, Tensor) for value in loaded.values()):
        raise CheckpointError(f"is a state_dict, weights without the alphabet: it has no tokens; {_NO_TOKENS}")
    state_dict = next((loaded[key] for key in _WEIGHTS if key in loaded), None)
    if state_dict is None:
        keys = ", ".join(f"{key!r:.40}" for key in list(loaded)[:6])
        raise CheckpointError(f"is not the notebook's checkpoint: it has no state_dict (its keys: {keys})")
    if not isinstance(state_dict, Mapping) or not all(isinstance(part, Tensor | Array) for part in state_dict.values()):
        raise CheckpointError("its state_dict is not a dictionary of tensors")
    weights = _weights(file, state_dict)
    n_hidden, n_layers = sizes_of(weights)
    for key, found in (("n_hidden", n_hidden), ("n_layers", n_layers)):
        stated = _number(file, loaded.get(key, found))
        if stated != found:
            raise CheckpointError(f"says {key} = {stated!r:.40}, but its tensors say {found}")
    tokens = next((loaded[key] for key in _TOKENS if loaded.get(key) is not None), None)
    if tokens is None:
        raise CheckpointError(f"has no tokens; {_NO_TOKENS}")
    try:
        vocabulary = Vocabulary(_tokens(tokens))
    except (ValueError, TypeError, RecursionError) as error:  # RecursionError: a message with lists in lists
        raise CheckpointError(f"its tokens are damaged: {error}") from None
    return Checkpoint(weights, vocabulary, n_hidden, n_layers, {"cell": "lstm"})


_NO_TOKENS: Final = (
    "their order cannot be known: the notebook takes it from a Python set, which has another order in every run; where "
    "the model is still in memory, save {'state_dict': net.state_dict(), 'tokens': net.chars}"
)


def _number(file: TorchFile, value: Any) -> Any:
    """A size as a plain number; whatever is none as a text that says what it is."""
    if isinstance(value, int | float | str):
        return value
    array = file.array(value) if isinstance(value, Tensor) else value.contents if isinstance(value, Array) else None
    if array is not None and array.size == 1 and array.dtype.kind in "iuf":
        return array.item()
    return f"a {type(value).__name__}"


def _tokens(stored: Any) -> Any:
    """The tokens in the order of their numbers. Raises ValueError, TypeError."""
    if isinstance(stored, Array):
        stored = [] if stored.contents is None else stored.contents
        if stored.size > _MOST_TOKENS:
            raise ValueError(f"{stored.size:,} tokens")
        return stored.ravel().tolist()
    if isinstance(stored, set):
        raise ValueError("a set has no order, so which character each number stands for is lost")
    if isinstance(stored, Mapping):
        pairs = [(key, value) if isinstance(key, int) else (value, key) for key, value in stored.items()]
        if not all(type(number) is int for number, _ in pairs) or {n for n, _ in pairs} != set(range(len(pairs))):
            raise ValueError("a dictionary that does not number its characters 0, 1, …")
        return [token for _, token in sorted(pairs, key=lambda pair: pair[0])]
    return stored


def _weights(file: TorchFile, state_dict: Mapping[Any, Any]) -> dict[str, NDArray[np.floating]]:
    """The tensors under the notebook's names and in its order, whatever its output layer and embedding are called."""
    lstm: dict[str, NDArray[np.floating]] = {}
    others: dict[str, dict[str, NDArray[np.floating]]] = {}
    for name, tensor in state_dict.items():
        if not isinstance(name, str):
            raise CheckpointError(f"its state_dict has a key that is not a name: {name!r:.40}")
        if match := _LSTM.fullmatch(name):
            lstm["lstm." + match[1]] = _array(file, name, tensor)
        elif match := _OTHER.fullmatch(name):
            others.setdefault(match[1], {})[match[2]] = _array(file, name, tensor)
        elif name.endswith("_reverse"):
            raise CheckpointError("its LSTM is bidirectional; a model that generates text can only read forwards")
        else:
            raise CheckpointError(f"the tensor {name} has no place in a CharRNN (an LSTM and one linear layer)")
    output = next((layer for layer, parts in others.items() if len(parts) == 2), next(iter(others), ""))
    for layer, parts in others.items():
        if layer != output and list(parts) == ["weight"] and "lstm.weight_ih_l0" in lstm:
            lstm["lstm.weight_ih_l0"] = _folded(file, lstm["lstm.weight_ih_l0"], layer, parts["weight"])
        elif layer != output:
            raise CheckpointError(f"the tensor {layer}.{next(iter(parts))} has no place in a CharRNN")
    return lstm | {f"fc.{part}": tensor for part, tensor in others.get(output, {}).items()}


def _array(file: TorchFile, name: str, tensor: Tensor | Array) -> NDArray[np.floating]:
    array = tensor.contents if isinstance(tensor, Array) else file.array(tensor)
    if array is None or array.dtype.kind != "f":
        kind = "unknown" if array is None else array.dtype
        raise CheckpointError(f"the tensor {name} is of type {kind}, not a usual floating point type")
    return array


def _folded(
    file: TorchFile, inputs: NDArray[np.floating], layer: str, embedding: NDArray[np.floating]
) -> NDArray[np.floating]:
    """W_ih · Eᵀ, (4H, E) by (V, E) to (4H, V): what the embedding and the input weights make of a one-hot character."""
    if inputs.ndim != 2 or embedding.ndim != 2 or inputs.shape[1] != embedding.shape[1]:
        shapes = [" × ".join(map(str, array.shape)) for array in (embedding, inputs)]
        raise CheckpointError(
            f"the tensor {layer}.weight, {shapes[0]}, is no embedding for input weights of {shapes[1]}"
        )
    dtype = np.result_type(inputs, embedding, np.float32)
    file.allow(inputs.shape[0] * embedding.shape[0] * dtype.itemsize)
    with np.errstate(all="ignore"):  # of huge weights; a network is not made of infinite ones
        folded: NDArray[np.floating] = np.matmul(inputs, embedding.T, dtype=dtype)
    return folded
