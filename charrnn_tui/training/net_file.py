"""The notebook's `.net` files (cells 34 and 42): a dictionary of sizes, tokens and a `state_dict`, saved by torch."""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError, Weights, one_line, sizes_of
from charrnn_tui.run.files import write_atomically
from charrnn_tui.text.vocabulary import Vocabulary

_PREFIX = r"(?:(?:module|_orig_mod)\.)*"  # of DataParallel, of torch.compile
_LSTM = re.compile(_PREFIX + r"lstm\.((?:weight|bias)_(?:ih|hh)_l\d+)")
_OUTPUT = re.compile(_PREFIX + r"[A-Za-z_]\w*\.(weight|bias)")


def read_net(path: Path) -> Checkpoint:
    """Read a `.net` file onto the CPU, running no code in it. Raises CheckpointError, one line with the path.

    Known variants are accepted: zip and legacy containers, tensors saved on a GPU, keys in any order, tokens
    as tuple or list, another name of the output layer, prefixes of DataParallel and torch.compile. Tensors keep their
    bits; bfloat16, which NumPy lacks, becomes float32.
    """
    try:
        return _assemble(_load(path))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {one_line(str(error))}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None


def write_net(path: Path, checkpoint: Checkpoint) -> None:
    """Write the notebook's dictionary, as its cell 42 loads it; it has no place for other facts. Raises OSError."""
    buffer = io.BytesIO()
    state_dict = {name: torch.from_numpy(np.array(tensor)) for name, tensor in checkpoint.weights.items()}
    torch.save(
        {
            "n_hidden": checkpoint.n_hidden,
            "n_layers": checkpoint.n_layers,
            "state_dict": state_dict,
            "tokens": checkpoint.vocabulary.tokens,
        },
        buffer,
    )
    write_atomically(path, buffer.getvalue())


def _load(path: Path) -> Any:
    with path.open("rb") as file:  # opened here: an OSError is then about the file, not its contents
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # torch's readers raise errors of many types for a foreign or damaged file
            refused = re.search(r"GLOBAL ([\w.]+)", str(error))
    if refused:
        raise CheckpointError(
            f"holds more than weights and plain values ({refused[1]}), and loading that could run code; "
            "in the notebook, save its state_dict, n_hidden, n_layers and tokens alone"
        )
    raise CheckpointError(f"is not a checkpoint: it is {_what_it_is(path)}")


def _what_it_is(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(2)
    if not head:
        return "empty"
    if head not in (b"PK", b"\x80\x02"):
        return "not a torch file"
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                parts = {name.rpartition("/")[2] for name in archive.namelist()}
        except (zipfile.BadZipFile, ValueError):  # ValueError: a name that is no UTF-8
            parts = {"data.pkl"}
        if "data.pkl" not in parts:
            return "a zip archive, but not one of torch's"
        if "constants.pkl" in parts:
            return "a TorchScript archive: code, not weights alone"
    return "a torch file that is damaged or cut off"


def _assemble(loaded: Any) -> Checkpoint:
    if not isinstance(loaded, Mapping):
        raise CheckpointError(f"is a torch file, but holds a {type(loaded).__name__}, not the notebook's dictionary")
    missing = [key for key in ("state_dict", "tokens") if key not in loaded]
    if missing:
        keys = ", ".join(repr(key) for key in list(loaded)[:6])
        raise CheckpointError(
            f"is not the notebook's checkpoint: it has no {' and no '.join(missing)} (its keys: {keys})"
        )
    weights = _weights(loaded["state_dict"])
    n_hidden, n_layers = sizes_of(weights)
    for key, found in (("n_hidden", n_hidden), ("n_layers", n_layers)):
        stated = loaded.get(key, found)
        if isinstance(stated, Tensor) and stated.numel() == 1:
            stated = stated.item()
        if not isinstance(stated, int | float) or stated != found:
            raise CheckpointError(f"says {key} = {stated!r:.40}, but its tensors say {found}")
    try:
        vocabulary = Vocabulary(loaded["tokens"])
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"its tokens are damaged: {error}") from None
    return Checkpoint(weights, vocabulary, n_hidden, n_layers, {"cell": "lstm"})


def _weights(state_dict: Any) -> Weights:
    """The tensors under the notebook's names and in its order, whatever the output layer is called."""
    if not isinstance(state_dict, Mapping) or not all(isinstance(value, Tensor) for value in state_dict.values()):
        raise CheckpointError("its state_dict is not a dictionary of tensors")
    lstm: dict[str, Any] = {}
    output: dict[str, Any] = {}
    for name, tensor in state_dict.items():
        if not isinstance(name, str):
            raise CheckpointError(f"its state_dict has a key that is not a name: {name!r:.40}")
        if match := _LSTM.fullmatch(name):
            lstm["lstm." + match[1]] = _array(name, tensor)
        elif (match := _OUTPUT.fullmatch(name)) and "fc." + match[1] not in output:
            output["fc." + match[1]] = _array(name, tensor)
        elif name.endswith("_reverse"):
            raise CheckpointError("its LSTM is bidirectional; a model that generates text can only read forwards")
        else:
            raise CheckpointError(f"the tensor {name} has no place in a CharRNN (an LSTM and one linear layer)")
    return lstm | output


def _array(name: str, tensor: Tensor) -> np.ndarray[Any, np.dtype[np.floating]]:
    if tensor.dtype == torch.bfloat16:  # NumPy lacks it; float32 holds every bfloat16 exactly
        tensor = tensor.float()
    if tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        raise CheckpointError(f"the tensor {name} is of type {tensor.dtype}, not a usual floating point type")
    if tensor.layout != torch.strided or tensor.device.type != "cpu":  # sparse, or a meta tensor, which has no data
        raise CheckpointError(f"the tensor {name} is stored in a way that cannot be read here ({tensor.layout})")
    array: np.ndarray[Any, np.dtype[np.floating]] = tensor.detach().contiguous().numpy()
    return array
