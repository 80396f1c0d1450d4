"""CharRNN weights to compare against torch with: random, of any size."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from charrnn_tui.checkpoint.checkpoint import Checkpoint, Weights, sizes_of
from charrnn_tui.text.vocabulary import Vocabulary


class TorchCharRNN(nn.Module):
    """The notebook's network in evaluation mode, in torch's own words."""

    def __init__(self, n_tokens: int, n_hidden: int, n_layers: int, seed: int = 0, cell: str = "lstm") -> None:
        super().__init__()
        self.n_tokens, self.cell = n_tokens, cell
        layers = getattr(nn, cell.upper())(n_tokens, n_hidden, n_layers, batch_first=True)
        self.add_module(cell, layers)
        self.fc = nn.Linear(n_hidden, n_tokens)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for tensor in self.parameters():
                # Twice torch's own spread: far from uniform, not yet chaotic, where rounding errors grow with the text.
                tensor.uniform_(-2 * n_hidden**-0.5, 2 * n_hidden**-0.5, generator=generator)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        return {name: tensor.numpy() for name, tensor in self.state_dict().items()}

    def checkpoint(self) -> Checkpoint:
        return checkpoint_of(self.weights())

    @torch.no_grad()
    def logits(
        self, ids: NDArray[np.integer], hidden: tuple[torch.Tensor, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """ids: (B, T); logits: (B, T, n_tokens)."""
        one_hot = torch.nn.functional.one_hot(torch.from_numpy(ids.astype(np.int64)), self.n_tokens).float()
        outputs, hidden = getattr(self, self.cell)(one_hot, hidden)
        return self.fc(outputs), hidden


def checkpoint_of(weights: Weights) -> Checkpoint:
    """The tensors with an alphabet that nobody asks for."""
    return Checkpoint(weights, Vocabulary(map(chr, range(0x20, 0x20 + len(weights["fc.bias"])))), *sizes_of(weights))


def random_ids(length: int, n_tokens: int, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, n_tokens, length).astype(np.uint8)
