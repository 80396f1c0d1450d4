"""The notebook's network (cell 12): characters, LSTM layers with dropout between them, dropout, a linear layer."""

from collections.abc import Callable, Sequence
from enum import Enum

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

from charrnn_tui.training.cudnn_lstm import cudnn_lstm, has_bfloat16
from charrnn_tui.training.dropout import dropout, plain_dropout
from charrnn_tui.training.lstm_cell import compiled_cell
from charrnn_tui.training.lstm_layer import State, Workspace, lstm_layer

Hidden = tuple[Tensor, Tensor]  # hidden and cell state, each (n_layers, batch, n_hidden)
Dropout = Callable[[Tensor, float, bool], Tensor]  # of x, with probability p, if training


class Layers(Enum):
    """Whose LSTM layers compute."""

    OURS = "ours"  # lstm_layer.py, one layer at a time: on a CPU, if its elementwise part could be compiled
    CUDNN = "cuDNN's"  # all layers in one call: on CUDA
    PYTORCH = "PyTorch's"  # one layer at a time: anywhere


class CharRNN(nn.Module):
    """Parameters have the notebook's `state_dict` names, its order of creation and PyTorch's initial values.

    So a seed gives the notebook's first weights.
    """

    def __init__(
        self,
        tokens: int,
        n_hidden: int = 512,
        n_layers: int = 2,
        drop_prob: float = 0.5,
        weight_drop: float = 0.0,
        exact_dropout: bool = True,
    ) -> None:
        """tokens: the alphabet's size. drop_prob: of dropout between the LSTM layers and before the linear one.

        weight_drop: dropout of the recurrent weights, one draw for all time steps (Merity et al. 2018, section 2).
        exact_dropout: as `TrainSettings` has it.
        """
        super().__init__()
        self.tokens, self.n_hidden, self.n_layers = tokens, n_hidden, n_layers
        self.drop_prob, self.weight_drop, self.exact_dropout = drop_prob, weight_drop, exact_dropout
        self.lstm = nn.LSTM(tokens, n_hidden, n_layers)
        self.fc = nn.Linear(n_hidden, tokens)
        self.workspace = Workspace()
        # None: the fastest that computes correctly on the parameters' device
        self.forced_layers: Layers | None = None
        self.forced_dropout: Dropout | None = None

    def forward(
        self, ids: Tensor, hidden: Hidden, dtype: torch.dtype = torch.float32, check: Callable[[], None] = lambda: None
    ) -> tuple[Tensor, Hidden]:
        """Logits (seq * batch, tokens) and the next hidden state, detached, for ids (seq, batch) of dtype int64.

        dtype: float32 or bfloat16, of the matrix products and the logits; the hidden state is float32. check: as for
        `lstm_layer`, which alone calls it.
        """
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            if self.layers is Layers.CUDNN:
                output, hidden = self._run_cudnn(ids, hidden, dtype)  # (seq, batch, n_hidden)
            else:
                output, hidden = self._run_layers(ids, hidden, dtype, check)  # (seq, batch, n_hidden)
            if self.draws_fast(dtype):
                output = self._dropped(output, self.drop_prob, dtype)
            else:  # the notebook draws in the order of its output, (batch, seq, n_hidden)
                output = self._dropped(output.transpose(0, 1), self.drop_prob, dtype).transpose(0, 1)
            return self.fc(output.reshape(-1, self.n_hidden)), hidden  # W h + b: (seq * batch, tokens)

    @property
    def layers(self) -> Layers:
        """Whose LSTM layers compute where the parameters are now."""
        if self.forced_layers is not None:
            return self.forced_layers
        device = self.fc.weight.device.type
        if device == "cuda" and torch.version.hip is None:
            return Layers.CUDNN
        return Layers.OURS if device == "cpu" and compiled_cell().library is not None else Layers.PYTORCH

    def draws_fast(self, dtype: torch.dtype) -> bool:
        """Whether dropout is ours, which needs fewer random numbers, and not drawn as in the notebook."""
        return self.layers is Layers.OURS and (dtype == torch.bfloat16 or not self.exact_dropout)

    def _dropped(self, x: Tensor, p: float, dtype: torch.dtype) -> Tensor:
        draw: Dropout = dropout if self.draws_fast(dtype) else F.dropout
        if x.device.type not in ("cpu", "cuda"):
            draw = plain_dropout
        return (self.forced_dropout or draw)(x, p, self.training)

    def _run_layers(
        self, x: Tensor, hidden: Hidden, dtype: torch.dtype, check: Callable[[], None]
    ) -> tuple[Tensor, Hidden]:
        """Layer by layer; the first one reads ids (seq, batch), the others (seq, batch, n_hidden)."""
        states = []
        for layer, (h, c) in enumerate(zip(*hidden, strict=True)):  # (batch, n_hidden) each
            if layer:
                x = self._dropped(x, self.drop_prob, dtype)
            x, state = self.run_layer(x, (h, c), self._weights(layer, dtype), dtype, check)  # (seq, batch, n_hidden)
            states.append(state)
        return x, (torch.stack([h for h, _ in states]), torch.stack([c for _, c in states]))

    def run_layer(
        self, x: Tensor, state: State, weights: Sequence[Tensor], dtype: torch.dtype, check: Callable[[], None]
    ) -> tuple[Tensor, State]:
        """Output (seq, batch, n_hidden) and detached state of one layer, ours or PyTorch's; x as for `lstm_layer`.

        PyTorch's is never asked for more than one layer, nor for dropout: on Apple's GPUs it computes them wrongly.
        """
        if self.layers is Layers.OURS:
            output, state = lstm_layer(x, state, weights, dtype, check, self.workspace)
            return output, state
        x, weight_ih = self._as_vectors(x, weights[0])
        hidden, backward = [part.unsqueeze(0) for part in state], torch.is_grad_enabled()
        output, h, c = torch._VF.lstm(x, hidden, [weight_ih, *weights[1:]], True, 1, 0.0, backward, False, False)
        return output, (h[0].detach().float(), c[0].detach().float())

    def _weights(self, layer: int, dtype: torch.dtype) -> list[Tensor]:
        """weight_ih (4n, inputs), weight_hh (4n, n) with its dropout, bias_ih (4n,), bias_hh (4n,)."""
        weight_ih, weight_hh, *biases = self.lstm.all_weights[layer]
        if not self.weight_drop:
            return [weight_ih, weight_hh, *biases]
        return [weight_ih, self._dropped(weight_hh, self.weight_drop, dtype), *biases]

    def _run_cudnn(self, ids: Tensor, hidden: Hidden, dtype: torch.dtype) -> tuple[Tensor, Hidden]:
        """All layers by cuDNN, with its dropout between them."""
        first, *others = (weight for layer in range(self.n_layers) for weight in self._weights(layer, dtype))
        x, first = self._as_vectors(ids, first)
        dtype = dtype if has_bfloat16() else torch.float32
        dropout = self.drop_prob if self.n_layers > 1 else 0.0  # PyTorch warns about dropout between one layer
        output, h, c = cudnn_lstm(x, hidden, [first, *others], dtype, dropout=dropout, training=self.training)
        return output, (h.detach().float(), c.detach().float())

    def _as_vectors(self, x: Tensor, weight_ih: Tensor) -> tuple[Tensor, Tensor]:
        """x and weight_ih for an LSTM that reads vectors (seq, batch, inputs), not ids (seq, batch).

        The vectors are one-hot if they are no wider than a row of gates. For a larger alphabet the product of weight
        and one-hot vector is a lookup of its gates, and the layer's weight is the identity.
        """
        if x.dim() == 3:
            return x, weight_ih
        gates = len(weight_ih)  # 4 * n_hidden
        if self.tokens <= gates:
            return F.one_hot(x, self.tokens).to(weight_ih.dtype), weight_ih  # (seq, batch, tokens), (gates, tokens)
        identity = torch.eye(gates, dtype=weight_ih.dtype, device=weight_ih.device)
        return F.embedding(x, weight_ih.t()), identity  # (seq, batch, gates), (gates, gates)

    def init_hidden(self, batch_size: int) -> Hidden:
        """Zeros on the parameters' device."""
        shape = (self.n_layers, batch_size, self.n_hidden)
        return self.fc.weight.new_zeros(shape), self.fc.weight.new_zeros(shape)

    def add_forget_bias(self, value: float) -> None:
        """Add to the forget gates' bias, so that cells start by remembering (Jozefowicz et al. 2015, section 2.2)."""
        with torch.no_grad():
            for layer in range(self.n_layers):
                bias = getattr(self.lstm, f"bias_ih_l{layer}")  # (4 * n_hidden,), in the order i, f, g, o
                bias[self.n_hidden : 2 * self.n_hidden] += value

    def set_output_bias(self, counts: Tensor) -> None:
        """Set the output bias to the characters' log frequencies; counts (tokens,), to each of which 1 is added."""
        with torch.no_grad():
            frequencies = (counts.to(torch.float64) + 1) / (counts.sum() + len(counts))  # (tokens,), their sum is 1
            self.fc.bias.copy_(frequencies.log())
