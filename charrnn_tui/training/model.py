"""The notebook's network (cell 12): characters, LSTM layers with dropout, dropout, a linear layer."""

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

from charrnn_tui.checkpoint.checkpoint import Weights
from charrnn_tui.training.cudnn_lstm import cudnn_lstm, has_bfloat16
from charrnn_tui.training.dropout import dropout
from charrnn_tui.training.lstm_cell import compiled_cell
from charrnn_tui.training.lstm_layer import lstm_layer

Hidden = tuple[Tensor, Tensor]  # hidden and cell state, each (n_layers, batch, n_hidden)


class CharRNN(nn.Module):
    """Parameters have the notebook's `state_dict` names, are created in its order, and start as PyTorch starts them."""

    def __init__(
        self, tokens: int, n_hidden: int = 512, n_layers: int = 2, drop_prob: float = 0.5, weight_drop: float = 0.0
    ) -> None:
        """`tokens` is the alphabet's size. Dropout acts between the LSTM layers and before the linear one.

        weight_drop: dropout of the recurrent weights, one draw for all time steps (Merity et al. 2018, section 2).
        """
        super().__init__()
        self.tokens, self.n_hidden, self.n_layers = tokens, n_hidden, n_layers
        between = drop_prob if n_layers > 1 else 0.0  # PyTorch warns where there is no between
        self.weight_drop = weight_drop
        self.lstm = nn.LSTM(tokens, n_hidden, n_layers, dropout=between)
        self.dropout = nn.Dropout(drop_prob)
        self.fc = nn.Linear(n_hidden, tokens)

    def forward(self, ids: Tensor, hidden: Hidden, kind: torch.dtype = torch.float32) -> tuple[Tensor, Hidden]:
        """Logits (seq * batch, tokens) and the next hidden state, detached, for ids (seq, batch) of dtype int64.

        kind: float32 or bfloat16, in which matrix products are computed, and the logits come; the state is float32.
        """
        run = self._layers if self.runs_compiled() else self._lstm
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=kind == torch.bfloat16):
            output, hidden = run(ids, hidden, kind)  # (seq, batch, n_hidden)
            if self.draws_fast(kind):
                output = dropout(output, self.dropout.p, self.training)
            else:  # drawn in the order of the notebook's output, which is (batch, seq, n_hidden)
                output = self.dropout(output.transpose(0, 1)).transpose(0, 1)
            return self.fc(output.reshape(-1, self.n_hidden)), hidden

    def runs_compiled(self) -> bool:
        """Whether its layers are ours, on a CPU for which their elementwise part could be compiled."""
        return self.fc.weight.device.type == "cpu" and compiled_cell().library is not None

    def runs_on_cudnn(self) -> bool:
        """Whether its layers are cuDNN's."""
        return self.fc.weight.device.type == "cuda"

    def draws_fast(self, kind: torch.dtype) -> bool:
        """Whether dropout's numbers are drawn as few as can be; in float32 a seed's draws are the notebook's."""
        return kind == torch.bfloat16 and self.runs_compiled()

    def _dropped(self, x: Tensor, p: float, kind: torch.dtype) -> Tensor:
        return (dropout if self.draws_fast(kind) else F.dropout)(x, p, self.training)

    def _layers(self, x: Tensor, hidden: Hidden, kind: torch.dtype) -> tuple[Tensor, Hidden]:
        states = []
        for layer, (h, c) in enumerate(zip(*hidden, strict=True)):
            if layer:
                x = self._dropped(x, self.lstm.dropout, kind)
            x, state = lstm_layer(x, (h, c), self._weights(layer, kind), kind)
            states.append(state)
        return x, (torch.stack([h for h, _ in states]), torch.stack([c for _, c in states]))

    def _weights(self, layer: int, kind: torch.dtype) -> list[Tensor]:
        weight_ih, weight_hh, *biases = self.lstm.all_weights[layer]
        if not self.weight_drop:
            return [weight_ih, weight_hh, *biases]
        return [weight_ih, self._dropped(weight_hh, self.weight_drop, kind), *biases]

    def _lstm(self, ids: Tensor, hidden: Hidden, kind: torch.dtype) -> tuple[Tensor, Hidden]:
        """PyTorch's own, or cuDNN's, which read vectors.

        One-hot vectors while they are no wider than a row of gates. For a larger alphabet the rows of gates are looked
        up, and given to a first layer that is the identity.
        """
        first, *others = (weight for layer in range(self.n_layers) for weight in self._weights(layer, kind))
        gates = len(first)  # 4 * n_hidden
        if self.tokens <= gates:
            x = F.one_hot(ids, self.tokens).to(first.dtype)  # (seq, batch, tokens)
            entering: Tensor = first
        else:
            x = F.embedding(ids, first.t())  # (seq, batch, 4 * n_hidden)
            entering = torch.eye(gates, dtype=first.dtype, device=first.device)
        weights, dropout = [entering, *others], self.lstm.dropout
        if self.runs_on_cudnn():
            kind = kind if has_bfloat16() else torch.float32
            output, h, c = cudnn_lstm(x, hidden, weights, kind, dropout=dropout, training=self.training)
        else:
            settings = (self.n_layers, dropout, self.training, False, False)
            output, h, c = torch._VF.lstm(x, hidden, weights, True, *settings)
        return output, (h.detach().float(), c.detach().float())

    def init_hidden(self, batch_size: int) -> Hidden:
        """Zeros, where the parameters live."""
        shape = (self.n_layers, batch_size, self.n_hidden)
        return self.fc.weight.new_zeros(shape), self.fc.weight.new_zeros(shape)

    def add_forget_bias(self, value: float) -> None:
        """Add to the forget gates' bias, so that cells remember at first (Jozefowicz et al. 2015, section 2.2)."""
        with torch.no_grad():
            for layer in range(self.n_layers):
                bias = getattr(self.lstm, f"bias_ih_l{layer}")
                bias[self.n_hidden : 2 * self.n_hidden] += value  # gates are i, f, g, o

    def set_output_bias(self, counts: Tensor) -> None:
        """Start the output at the characters' own frequencies; counts (tokens,). One is added to each."""
        with torch.no_grad():
            frequencies = (counts.to(torch.float64) + 1) / (counts.sum() + len(counts))
            self.fc.bias.copy_(frequencies.log())


def weights_of(model: CharRNN) -> Weights:
    """A copy of the parameters as float32 NumPy arrays on the CPU."""
    return {name: tensor.detach().float().cpu().numpy().copy() for name, tensor in model.state_dict().items()}
