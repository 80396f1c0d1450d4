"""The yardstick where the course notebook's own file is not at hand: the same work, done the plain way.

It stands for what one writes first: a text turned into numbers character by character, one-hot batches, torch's LSTM,
a loss that is looked at after every step, and a character written per call of the whole network.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn


class CharRNN(nn.Module):
    """Stacked LSTM over one-hot characters, dropout, linear layer."""

    def __init__(self, tokens: tuple[str, ...], n_hidden: int = 256, n_layers: int = 2, drop_prob: float = 0.5) -> None:
        super().__init__()
        self.chars, self.n_hidden, self.n_layers = tokens, n_hidden, n_layers
        self.lstm = nn.LSTM(len(tokens), n_hidden, n_layers, dropout=drop_prob, batch_first=True)
        self.dropout = nn.Dropout(drop_prob)
        self.fc = nn.Linear(n_hidden, len(tokens))

    def forward(
        self, x: torch.Tensor, hidden: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        outputs, hidden = self.lstm(x, hidden)
        return self.fc(self.dropout(outputs).reshape(-1, self.n_hidden)), hidden

    def init_hidden(self, batch_size: int) -> tuple[torch.Tensor, torch.Tensor]:
        shape = (self.n_layers, batch_size, self.n_hidden)
        return torch.zeros(shape), torch.zeros(shape)


def one_hot_encode(ids: np.ndarray, tokens: int) -> np.ndarray:
    """(…,) to (…, tokens), float32."""
    return np.eye(tokens, dtype=np.float32)[ids]


def get_batches(ids: np.ndarray, batch_size: int, seq_length: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Windows along `batch_size` contiguous rows, and the same one character on."""
    windows = len(ids) // (batch_size * seq_length)
    rows = ids[: windows * batch_size * seq_length].reshape(batch_size, -1)
    following = np.roll(rows, -1, axis=1)
    for begin in range(0, rows.shape[1], seq_length):
        yield rows[:, begin : begin + seq_length], following[:, begin : begin + seq_length]


def train(
    net: CharRNN,
    data: np.ndarray,
    epochs: int = 1,
    batch_size: int = 128,
    seq_length: int = 100,
    lr: float = 0.001,
    clip: float = 5,
    val_frac: float = 0.1,
    print_every: int = 20,
    max_steps: int | None = None,
    on_step: Callable[[float, torch.Tensor], None] | None = None,
) -> None:
    """Adam, clipping; `on_step` hears each step's seconds. There is no validation: only steps are timed."""
    net.train()
    optimizer, criterion, steps = torch.optim.Adam(net.parameters(), lr=lr), nn.CrossEntropyLoss(), 0
    for _ in range(epochs):
        hidden = net.init_hidden(batch_size)
        for x, y in get_batches(data[: int(len(data) * (1 - val_frac))], batch_size, seq_length):
            started = time.perf_counter()
            inputs = torch.from_numpy(one_hot_encode(x, len(net.chars)))
            hidden = (hidden[0].detach(), hidden[1].detach())
            optimizer.zero_grad()
            output, hidden = net(inputs, hidden)
            loss = criterion(output, torch.from_numpy(np.ascontiguousarray(y)).reshape(-1).long())
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), clip)
            optimizer.step()
            steps += 1
            if on_step is not None:
                on_step(time.perf_counter() - started, loss)
            if steps == max_steps:
                return


def sample(net: CharRNN, size: int, prime: str = "The", top_k: int = 5) -> str:
    """The prime, and `size` + 1 characters, each drawn among the `top_k` likeliest."""
    net.eval()
    hidden, text = net.init_hidden(1), prime
    for place in range(len(prime) + size):
        x = torch.from_numpy(one_hot_encode(np.array([[net.chars.index(text[place])]]), len(net.chars)))
        output, hidden = net(x, (hidden[0].detach(), hidden[1].detach()))
        probabilities, likeliest = torch.softmax(output, dim=1).detach().topk(top_k)
        weights = probabilities.numpy().squeeze()
        drawn = np.random.choice(likeliest.numpy().squeeze(), p=weights / weights.sum())
        if place + 1 >= len(prime):
            text += net.chars[drawn]
    return text
