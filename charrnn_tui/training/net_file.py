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
    """Read a `.net` file onto the CPU, without running anything in it. Raises CheckpointError, beginning with the path.

    Read are the variants in the wild: zip and legacy containers, tensors saved on a GPU, keys in any order, tokens as
    tuple or list, an output layer under another name, the prefixes of DataParallel and torch.compile. Tensors keep
    their bits; bfloat16, which NumPy has not, becomes float32.
    """
    try:
        return _assemble(_load(path))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {one_line(str(error))}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None


def write_net(path: Path, checkpoint: Checkpoint) -> None:
    """Write the notebook's dictionary, as its cell 42 loads it; other facts than these have no place in it."""
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
    with path.open("rb") as file:  # opened here, so that an error of the system is about the file, not its contents
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a foreign or damaged file ends torch's readers with whatever they stumble over
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
        told = loaded.get(key, found)
        if isinstance(told, Tensor) and told.numel() == 1:
            told = told.item()
        if not isinstance(told, int | float) or told != found:
            raise CheckpointError(f"says {key} = {told!r:.40}, but its tensors say {found}")
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
            raise CheckpointError(f"its state_dict has a key that is no name: {name!r:.40}")
        if match := _LSTM.fullmatch(name):
            lstm["lstm." + match[1]] = _array(name, tensor)
        elif (match := _OUTPUT.fullmatch(name)) and "fc." + match[1] not in output:
            output["fc." + match[1]] = _array(name, tensor)
        elif name.endswith("_reverse"):
            raise CheckpointError("its LSTM is bidirectional; a model that writes can only read forwards")
        else:
            raise CheckpointError(f"the tensor {name} has no place in a CharRNN (an LSTM and one linear layer)")
    return lstm | output


def _array(name: str, tensor: Tensor) -> np.ndarray[Any, np.dtype[np.floating]]:
    if tensor.dtype == torch.bfloat16:  # NumPy has none; float32 holds every bfloat16 exactly
        tensor = tensor.float()
    if tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        raise CheckpointError(f"the tensor {name} is of type {tensor.dtype}, not a usual floating point type")
    if tensor.layout != torch.strided or tensor.device.type != "cpu":  # sparse, or a tensor without numbers
        raise CheckpointError(f"the tensor {name} is stored in a way that is not read here ({tensor.layout})")
    array: np.ndarray[Any, np.dtype[np.floating]] = tensor.detach().contiguous().numpy()
    return array
