"""The notebook's network (cell 12): one-hot characters, LSTM layers with dropout, dropout, a linear layer."""

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

from charrnn_tui.checkpoint.checkpoint import Weights

Hidden = tuple[Tensor, Tensor]  # hidden and cell state, each (n_layers, batch, n_hidden)


class CharRNN(nn.Module):
    """Parameters have the notebook's `state_dict` names, are created in its order, and start as PyTorch starts them."""

    def __init__(self, tokens: int, n_hidden: int = 512, n_layers: int = 2, drop_prob: float = 0.5) -> None:
        """`tokens` is the alphabet's size. Dropout acts between the LSTM layers and before the linear one."""
        super().__init__()
        self.tokens, self.n_hidden, self.n_layers = tokens, n_hidden, n_layers
        between = drop_prob if n_layers > 1 else 0.0  # PyTorch warns where there is no between
        self.lstm = nn.LSTM(tokens, n_hidden, n_layers, dropout=between, batch_first=True)
        self.dropout = nn.Dropout(drop_prob)
        self.fc = nn.Linear(n_hidden, tokens)

    def forward(self, ids: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        """Logits (batch * seq, tokens) and the next hidden state, for ids (batch, seq) of dtype int64."""
        x = F.one_hot(ids, self.tokens).to(self.fc.weight.dtype)  # (batch, seq, tokens)
        r_output, hidden = self.lstm(x, hidden)  # (batch, seq, n_hidden)
        out = self.dropout(r_output).reshape(-1, self.n_hidden)  # (batch * seq, n_hidden)
        return self.fc(out), hidden

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
