"""Checkpoints as safetensors: tensors under the notebook's names, facts as strings in the metadata."""

import json
import logging
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from charrnn_tui.checkpoint.checkpoint import (
    CELLS,
    FACT_TYPES,
    Checkpoint,
    CheckpointError,
    Facts,
    one_line,
    read_facts,
    sizes_of,
)
from charrnn_tui.run.decoding import DecodingError, decode, read_json
from charrnn_tui.run.files import write_atomically
from charrnn_tui.text.vocabulary import Vocabulary

FORMAT = "charrnn-tui"
FORMAT_VERSION = 1
LONGEST_HEADER = 8 << 20  # bytes; an alphabet of 100,000 characters takes 1 MB
LONGEST_FACT = 1 << 16  # characters
_TOKENS = "tokens"
_log = logging.getLogger(__name__)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the file atomically. Raises OSError."""
    # In C order: the library writes the memory as it is.
    weights = {name: np.ascontiguousarray(tensor) for name, tensor in checkpoint.weights.items()}
    write_atomically(path, safetensors.numpy.save(weights, metadata_of(checkpoint)))


def metadata_of(checkpoint: Checkpoint) -> dict[str, str]:
    """Facts and alphabet as a file's metadata; the values are JSON, except the format's name."""
    facts: dict[str, Any] = dict(checkpoint.facts) | {
        "format_version": FORMAT_VERSION,
        "cell": checkpoint.cell,
        "n_hidden": checkpoint.n_hidden,
        "n_layers": checkpoint.n_layers,
        _TOKENS: list(checkpoint.vocabulary.tokens),
    }
    return {name: json.dumps(value, allow_nan=False) for name, value in facts.items()} | {"format": FORMAT}


def read_checkpoint(path: Path) -> Checkpoint:
    """Read and check a file. Raises CheckpointError, its message beginning with the path.

    Facts that are unknown or damaged are left out, and named in the log.
    """
    try:
        _check_header(path)
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT or _TOKENS not in metadata:
                raise CheckpointError("a safetensors file, but no alphabet in its metadata: not written by charrnn-tui")
            facts, left_out = _facts(metadata)
            weights = {name: _tensor(file, name) for name in file.keys()}  # noqa: SIM118 - not a dict, has no iterator
        n_hidden, n_layers = sizes_of(weights)
        checkpoint = Checkpoint(weights, _vocabulary(metadata[_TOKENS]), n_hidden, n_layers, facts)
        if (stated := facts.get("cell", "lstm")) != checkpoint.cell:
            raise CheckpointError(f"says that its cell is {stated}, but its tensors are of {checkpoint.cell}")
    except (CheckpointError, safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: {one_line(_reason(path, error))}") from None
    if left_out:
        names = one_line(", ".join(left_out))
        _log.warning("%s: facts left out, unknown or damaged: %.200s", one_line(str(path)), names)
    return checkpoint


def read_checkpoint_facts(path: Path) -> Facts:
    """The facts of a file, without its tensors. Raises CheckpointError, its message beginning with the path."""
    try:
        _check_header(path)
        with safetensors.safe_open(path, framework="numpy") as file:
            return _facts(file.metadata() or {})[0]
    except (CheckpointError, safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: {one_line(_reason(path, error))}") from None


def _check_header(path: Path) -> None:
    """Raise CheckpointError for a header so long that reading it would take many times its memory."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if LONGEST_HEADER < length < path.stat().st_size:
            raise CheckpointError(f"is not a readable checkpoint: its header has {length:,} bytes")


def _tensor(file: Any, name: str) -> Any:
    try:
        tensor = file.get_tensor(name)
    except (TypeError, AttributeError):  # bfloat16, float8, which NumPy lacks
        tensor = None
    if tensor is None or tensor.dtype.isbuiltin != 1:  # another library may have added them to NumPy
        kind = file.get_slice(name).get_dtype()
        raise CheckpointError(f"the tensor {name} is of type {kind}, not a usual floating point type")
    return tensor


def _vocabulary(tokens: str) -> Vocabulary:
    try:
        return Vocabulary(decode(tokens, list[str]))
    except ValueError as error:
        raise CheckpointError(f"its alphabet is damaged: {error}") from None


def _facts(metadata: Mapping[str, str]) -> tuple[Facts, list[str]]:
    """The facts, and the names of those that are left out."""
    values: dict[str, Any] = {}
    for name, text in metadata.items():
        if name in FACT_TYPES and len(text) <= LONGEST_FACT:
            with suppress(DecodingError):
                values[name] = read_json(text)
    if not isinstance(version := values.get("format_version"), int):
        raise CheckpointError("its metadata are damaged: no format version")
    if version > FORMAT_VERSION:
        raise CheckpointError(f"its format version is {version}, newer than this program reads ({FORMAT_VERSION})")
    if (cell := values.get("cell", "lstm")) not in list(CELLS):
        raise CheckpointError(f"its cell is {cell!r:.40}; this version supports {', '.join(CELLS)}")
    facts, left_out = read_facts(values)
    unread = [name for name in metadata if name not in values and name not in ("format", _TOKENS)]
    return facts, left_out + unread


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError) or path.is_dir():
        return "is a directory, not a checkpoint"
    if isinstance(error, safetensors.SafetensorError):
        return f"is not a readable checkpoint: {str(error).splitlines()[0]}"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return str(error)


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file beginning with these (at least nine) bytes is safetensors: a length, then JSON."""
    return len(head) >= 9 and head[8:9] == b"{" and 2 <= struct.unpack("<Q", head[:8])[0] < 1 << 40
