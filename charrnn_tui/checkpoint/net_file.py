"""The notebook's `.net` files (cells 34 and 42), and what other code saves with torch: models with or without alphabet.

Read without torch and without running code. A file holds a dictionary of sizes, tokens and a `state_dict`, a bare
`state_dict`, or a whole module; in a zip or an older container, saved on a CPU or a GPU, with keys in any order and
under other names. Tensors keep their bits; bfloat16 becomes float32. `recognised.py` says which models are understood.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError, cell_of, one_line, sizes_of
from charrnn_tui.checkpoint.pickled_module import is_module, tensors_of
from charrnn_tui.checkpoint.recognised import is_recurrent, recognised
from charrnn_tui.checkpoint.torch_file import TorchFile
from charrnn_tui.checkpoint.unpickling import Array, Record, Tensor
from charrnn_tui.text.vocabulary import Vocabulary

_WEIGHTS: Final = ("state_dict", "model_state_dict", "model")  # keys under which the weights are found first
_TOKENS: Final = (
    *("tokens", "chars", "int2char", "idx2char", "ix_to_char", "idx_to_char", "itos", "all_characters", "characters"),
    *("alphabet", "vocab", "vocabulary", "char2int", "char2idx", "char_to_ix", "char_to_idx", "stoi"),
)
_DEPTH: Final = 3  # of dictionaries and objects in which an alphabet is looked for
HAS_TOKENS: Final = "has its own alphabet; leave --tokens out"
_MOST_TOKENS: Final = 0x110000  # there are no more characters


def read_net(path: Path, tokens: Sequence[str] | None = None) -> Checkpoint:
    """Read a file that torch has written. Raises CheckpointError, one line that begins with the path.

    tokens: the alphabet, for a file without one; in the order of the model's inputs.
    """
    try:
        data = path.read_bytes()
        if not data.startswith((b"PK", b"\x80\x02")):
            raise CheckpointError(f"is not a checkpoint: it is {'not a torch file' if data else 'empty'}")
        file = TorchFile(data)
        return _assemble(file, file.values, tokens)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {one_line(str(error))}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None


def _assemble(file: TorchFile, loaded: Any, given: Sequence[str] | None) -> Checkpoint:
    tensors = _find_tensors(loaded)
    weights = recognised({name: _array(file, name, tensor) for name, tensor in tensors.items()}, file.allow)
    n_hidden, n_layers = sizes_of(weights)
    for key, found in (("n_hidden", n_hidden), ("n_layers", n_layers)):
        stated = _number(file, loaded.get(key, found)) if isinstance(loaded, Mapping) else found
        if stated != found:
            raise CheckpointError(f"says {key} = {stated!r:.40}, but its tensors say {found}")
    tokens = _find_tokens(loaded)
    if tokens is not None and given is not None:
        raise CheckpointError(HAS_TOKENS)
    if tokens is None and given is None:
        bare = isinstance(loaded, Mapping) and tensors is loaded
        what = "is a state_dict, weights without the alphabet: it has" if bare else "has"
        raise CheckpointError(f"{what} no tokens; {_NO_TOKENS}")
    try:
        vocabulary = Vocabulary(_tokens(tokens) if given is None else given)
    except (ValueError, TypeError, RecursionError) as error:  # RecursionError: a message with lists in lists
        raise CheckpointError(f"its tokens are damaged: {error}") from None
    inputs = weights[f"{cell_of(weights)}.weight_ih_l0"].shape[-1]
    if given is not None and len(vocabulary) != inputs:
        raise CheckpointError(f"its model has {inputs} tokens, --tokens gives {len(vocabulary)}")
    return Checkpoint(weights, vocabulary, n_hidden, n_layers, {"cell": cell_of(weights)})


_NO_TOKENS: Final = (
    "their order cannot be known: the notebook takes it from a Python set, which has another order in every run; where "
    "the model is still in memory, save {'state_dict': net.state_dict(), 'tokens': net.chars}; where the order is "
    "known, name it with --tokens (charrnn-tui export --help)"
)


def _find_tensors(loaded: Any) -> Mapping[str, Any]:
    """Name and tensor of each weight, from a module, a state_dict, or a dictionary that holds one of these."""
    if isinstance(loaded, Record) and is_module(loaded):
        return tensors_of(loaded)
    if not isinstance(loaded, Mapping):
        kind = (
            f"a {type(loaded).__name__}" if not isinstance(loaded, Record) else f"an object of the class {loaded.kind}"
        )
        raise CheckpointError(f"is a torch file, but holds {kind}, not the notebook's dictionary")
    if loaded and all(isinstance(value, Tensor) for value in loaded.values()):
        return _checked(loaded)
    candidates = [loaded[key] for key in _WEIGHTS if key in loaded] + [*filter(_looks_like_weights, loaded.values())]
    if not candidates:
        keys = ", ".join(f"{key!r:.40}" for key in list(loaded)[:6])
        raise CheckpointError(f"is not the notebook's checkpoint: it has no state_dict (its keys: {keys})")
    found = next(filter(_looks_like_weights, candidates), candidates[0])
    if isinstance(found, Record) and is_module(found):
        return tensors_of(found)
    if not isinstance(found, Mapping) or not all(isinstance(part, Tensor | Array) for part in found.values()):
        raise CheckpointError("its state_dict is not a dictionary of tensors")
    return _checked(found)


def _looks_like_weights(value: Any) -> bool:
    if isinstance(value, Record):
        return is_module(value)
    return isinstance(value, Mapping) and any(isinstance(name, str) and is_recurrent(name) for name in value)


def _checked(state_dict: Mapping[Any, Any]) -> Mapping[str, Any]:
    for name in state_dict:
        if not isinstance(name, str):
            raise CheckpointError(f"its state_dict has a key that is not a name: {name!r:.40}")
    return state_dict


def _find_tokens(loaded: Any) -> Any:
    """The alphabet as it is stored: in the dictionary, in one that it holds, or in the attributes of a module."""
    return next((fields[key] for fields in _fields(loaded) for key in _TOKENS if _is_alphabet(fields.get(key))), None)


def _fields(loaded: Any) -> Iterator[Mapping[Any, Any]]:
    """What has names: the value itself, then what it holds, and what that holds; each once."""
    level, seen = [loaded], set[int]()
    for _ in range(_DEPTH):
        found = [value.state if isinstance(value, Record) else value for value in level]
        mappings = {id(value): value for value in found if isinstance(value, Mapping) and id(value) not in seen}
        seen |= mappings.keys()
        yield from mappings.values()
        level = [part for mapping in mappings.values() for part in mapping.values()]


def _is_alphabet(value: Any) -> bool:
    """Whether a value may be one; what is wrong with it is said later. What holds others, as `vocab` may, is none."""
    if isinstance(value, Mapping):
        return not any(isinstance(part, Mapping | Record | list | tuple) for part in value.values())
    return value is not None and not isinstance(value, Record | Tensor)


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


def _array(file: TorchFile, name: str, tensor: Tensor | Array) -> NDArray[np.floating]:
    array = tensor.contents if isinstance(tensor, Array) else file.array(tensor)
    if array is None or array.dtype.kind != "f":
        kind = "unknown" if array is None else array.dtype
        raise CheckpointError(f"the tensor {name} is of type {kind}, not a usual floating point type")
    return array
