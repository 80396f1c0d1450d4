"""Writing a model as a file of another format."""

import dataclasses
from pathlib import Path
from typing import Final

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint

MODEL_ENDINGS: Final = (".safetensors", ".net")


class ExportError(ValueError):
    """A file cannot be written; the message is one line that begins with its path."""


def export_model(checkpoint: Checkpoint, out: Path, overwrite: bool) -> Path:
    """Write a model to `out`, whose ending is one of MODEL_ENDINGS and chooses the format. Raises ExportError.

    The weights keep every bit.
    """
    refuse_existing(out, overwrite)
    try:
        if out.suffix == ".safetensors":
            write_checkpoint(out, _in_order(checkpoint))
        elif out.suffix == ".net":
            from charrnn_tui.training.net_writer import write_net  # torch takes seconds, and only .net files need it

            write_net(out, _in_order(checkpoint))
        else:
            raise ExportError(f"{out}: the ending must be {' or '.join(MODEL_ENDINGS)}")
    except OSError as error:
        raise ExportError(f"{out}: cannot be written: {error.strerror or error}") from None
    return out


def refuse_existing(out: Path, overwrite: bool) -> None:
    """Raise ExportError if there is something that may not be overwritten."""
    if out.exists() and not overwrite:
        raise ExportError(f"{out}: exists already; --force overwrites it")


def _in_order(checkpoint: Checkpoint) -> Checkpoint:
    """Tensors in the order of PyTorch's `state_dict`, whatever the file's."""
    names = tensor_shapes(len(checkpoint.vocabulary), checkpoint.n_hidden, checkpoint.n_layers)
    return dataclasses.replace(checkpoint, weights={name: checkpoint.weights[name] for name in names})
