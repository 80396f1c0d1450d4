"""Dynamic evaluation: the loss of a text under a model that learns from it while it reads (Krause et al. 2018).

The text is read once, in segments. A segment is scored first; then each weight takes a step by the gradient g of its
mean loss, and goes back a little towards its trained value (the paper's update rule "RMS + RMS global prior"):

    w = w - lr * clip(g / (rms + eps), -4, 4) + min(1, decay * rms / mean(rms)) * (trained w - w)

rms is the root mean square of that weight's gradients. The paper computes it on the training text; here it comes from a
text that the model writes, which is there for every model and serves as well. The clipping is ours: the gradients of
what occurs in no such text are far above their rms, and one step could break the model.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from numpy.typing import NDArray
from torch import Tensor

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.scoring import DynamicSettings
from charrnn_tui.text.vocabulary import Ids
from charrnn_tui.training.model import CharRNN, Hidden, Layers

_OWN_SEGMENTS = 200  # of the text that the model writes
_EPS = 1e-5  # the paper's
_CLIP = 4.0  # times lr is the most that a weight moves in a step


class Diverged(ValueError):
    """The loss of a segment is not finite; the message is one line."""


def dynamic_losses(
    checkpoint: Checkpoint, model: CharModel, ids: Ids, settings: DynamicSettings
) -> Iterator[NDArray[np.float64]]:
    """Losses as `sequence_losses` gives them (nats, T - 1 in all), a segment at a time. Takes at least two characters.

    The checkpoint and the model of it stay as they are. Computes in float32 on the CPU. Raises Diverged.
    """
    learner = _DynamicModel(checkpoint, model, settings)
    hidden = learner.network.init_hidden(1)
    for begin in range(0, len(ids) - 1, settings.seq_length):
        losses, gradients, hidden = learner.read(ids[begin : begin + settings.seq_length + 1], hidden)
        if not np.isfinite(losses).all():
            raise Diverged(f"the loss of characters {begin + 1:,} to {begin + len(losses):,} is not a finite number")
        yield losses
        learner.step(gradients)


class _DynamicModel:
    """The network with the statistics of its gradients."""

    def __init__(self, checkpoint: Checkpoint, model: CharModel, settings: DynamicSettings) -> None:
        self._lr = settings.lr
        self.network = CharRNN(len(checkpoint.vocabulary), checkpoint.n_hidden, checkpoint.n_layers, drop_prob=0.0)
        self.network.forced_layers = Layers.PYTORCH  # the faster ones for a single row
        self.network.load_state_dict(
            {name: torch.from_numpy(tensor.astype(np.float32)) for name, tensor in checkpoint.weights.items()}
        )
        self._weights: list[Tensor] = list(self.network.parameters())
        self._trained = [weight.detach().clone() for weight in self._weights]
        length = _OWN_SEGMENTS * settings.seq_length + 1
        written = islice(Sampler(model, checkpoint.vocabulary, seed=0), length)
        rms = self._root_mean_squares(np.array([char.token_id for char in written]), settings.seq_length)
        self._scales = torch._foreach_add(rms, _EPS)
        mean = sum(float(each.sum()) for each in self._scales) / checkpoint.parameters
        self._decays = [(each * (settings.decay / mean)).clamp_(max=1) for each in rms]

    def _root_mean_squares(self, ids: Ids, seq_length: int) -> list[Tensor]:
        """For each weight, the root mean square of the gradients of the segments."""
        squares = [torch.zeros_like(weight) for weight in self._weights]
        hidden = self.network.init_hidden(1)
        for begin in range(0, len(ids) - 1, seq_length):
            _, gradients, hidden = self.read(ids[begin : begin + seq_length + 1], hidden)
            torch._foreach_addcmul_(squares, gradients, gradients)
        return [square.div_(_OWN_SEGMENTS).sqrt_() for square in squares]

    def read(self, ids: Ids, hidden: Hidden) -> tuple[NDArray[np.float64], list[Tensor], Hidden]:
        """Losses of ids[1:] (nats), the gradients of their mean, and the next hidden state, (n_layers, 1, n) each."""
        x = torch.from_numpy(ids.astype(np.int64))
        logits, hidden = self.network(x[:-1, None], hidden)  # (t, tokens)
        losses = F.cross_entropy(logits, x[1:], reduction="none")  # (t,)
        gradients = list(torch.autograd.grad(losses.mean(), self._weights))
        return losses.detach().double().numpy(), gradients, hidden

    @torch.no_grad()
    def step(self, gradients: list[Tensor]) -> None:
        """Update the weights; the gradients are written over."""
        each = zip(self._weights, gradients, self._scales, self._trained, self._decays, strict=True)
        for weight, gradient, scale, trained, decay in each:
            weight.sub_(gradient.div_(scale).clamp_(-_CLIP, _CLIP), alpha=self._lr).lerp_(trained, decay)
