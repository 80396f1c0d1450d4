"""Writing the notebook's `.net` files (cell 34)."""

import io
from pathlib import Path

import numpy as np
import torch

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.run.files import write_atomically


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
