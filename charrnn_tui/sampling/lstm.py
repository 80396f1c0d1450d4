"""The notebook's network without torch: a stacked LSTM over characters, for writing and for scoring (notebook cell 16).

Speed decides the layout. One character at a time is a chain of matrix–vector products and costs what it costs to read
the weights, so everything else is kept out of the way: the product with a one-hot vector is the lookup of a row, input
and recurrent weights of the upper layers stand in one matrix, and one tanh serves all four gates. The matrices of a
large network are rounded to 14 bits, for NumPy too; the compiled step, where there is one, reads them as such, and
rounds the h that they meet to 15.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.lstm_step import COMPILED, MOST_UNITS, CompiledStep, Rounded

Floats = NDArray[np.float32]
Weights = Mapping[str, NDArray[np.generic]]  # under the notebook's state_dict names; float16, float32 or float64

ROUNDED_FROM = 256  # hidden units: smaller matrices lie in the processor's own caches, and gain little
CHUNK_ROWS = 2048  # positions (times texts) held at once in `forward`: 16 MB of gates at 512 hidden units

_LAYER_NAME = re.compile(r"lstm\.weight_ih_l(\d+)")


@dataclass(frozen=True, eq=False)
class LSTMState:
    """What the network remembers: h and c, float32, each (n_layers, n_hidden) or, for B texts, (n_layers, B, n_hidden).

    No method of CharLSTM writes into a state that it was given or has returned: a fork is a second reference.
    """

    h: Floats
    c: Floats


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer's weights, transposed, gates in the order i, f, o, g, the columns of i, f, o halved (see `_cell`)."""

    weight: Floats  # (n_hidden, 4 n_hidden) in the first layer, (2 n_hidden, 4 n_hidden) above: input over recurrent
    bias: Floats  # (4 n_hidden); the first layer's is in its rows


class CharLSTM:
    """A trained CharRNN in evaluation mode (no dropout). Threads may share it: nothing is written after `__init__`.

    Where a method takes ids, it takes one text or B texts at once; the shapes of the state and of the logits follow.
    """

    def __init__(self, weights: Weights) -> None:
        """Take the notebook's tensors. Raises ValueError naming the tensor that is missing, misshapen or not finite."""
        self.n_tokens, self.n_hidden, self.n_layers = _sizes(weights)
        tensors = {name: _finite(name, tensor) for name, tensor in weights.items()}
        self._rows = _gates(tensors["lstm.weight_ih_l0"]) + _bias(tensors, 0)  # (n_tokens, 4 n_hidden)
        recurrent = [_gates(tensors[f"lstm.weight_hh_l{number}"]) for number in range(self.n_layers)]
        inputs = [_gates(tensors[f"lstm.weight_ih_l{number}"]) for number in range(1, self.n_layers)]
        biases = [_bias(tensors, number) for number in range(self.n_layers)]
        output = np.ascontiguousarray(tensors["fc.weight"].T)  # (n_hidden, n_tokens)
        self._output_bias = tensors["fc.bias"]  # (n_tokens)
        self._compiled: CompiledStep | None = None
        if self.n_hidden >= ROUNDED_FROM and self.n_layers * self.n_hidden <= MOST_UNITS:
            own, entering, last = list(map(Rounded, recurrent)), list(map(Rounded, inputs)), Rounded(output)
            self._compiled = CompiledStep(self._rows, own, entering, biases[1:], last, self._output_bias)
            recurrent, inputs = [each.matrix for each in own], [each.matrix for each in entering]
            output = last.matrix
        self._output = output
        weights_above = map(np.concatenate, zip(inputs, recurrent[1:], strict=True))
        self._layers = tuple(map(_Layer, [recurrent[0], *weights_above], biases))

    def settle(self) -> None:
        """Wait, a second once on a machine, until it is known whether compiled code computes, and no text is begun by
        NumPy and ended by it: they round differently, which changes one draw in some fifty thousand.
        """
        if self._compiled is not None:
            COMPILED.wait()

    @property
    def exact_among_others(self) -> bool:
        """Whether a text gets the very numbers among others that it gets alone: compiled code computes."""
        return self._compiled is not None and COMPILED.library is not None

    def initial_state(self, batch_size: int | None = None) -> LSTMState:
        """The state before the first character, all zero (notebook: `init_hidden`)."""
        shape = (self.n_layers, self.n_hidden) if batch_size is None else (self.n_layers, batch_size, self.n_hidden)
        return LSTMState(np.zeros(shape, np.float32), np.zeros(shape, np.float32))

    def step(self, ids: int | NDArray[np.integer], state: LSTMState) -> tuple[Floats, LSTMState]:
        """Read one character of each text. ids: an int or (B,). Returns logits, ([B,] n_tokens), and the state."""
        if self._compiled is not None:
            if state.h.ndim == 2:
                compiled = self._compiled.run(int(ids), state.h, state.c, looks=True)
            else:
                compiled = self._compiled.run_many(np.asarray(ids), state.h, state.c)
            if compiled is not None:
                h, c, logits = compiled
                return logits, LSTMState(h, c)
        state = self.advance(ids, state)
        return self.read_out(state), state

    def read_out(self, state: LSTMState) -> Floats:
        """The logits that `step` gave with this state."""
        logits: Floats = np.dot(state.h[-1], self._output)
        logits += self._output_bias
        return logits

    def advance(self, ids: int | NDArray[np.integer], state: LSTMState) -> LSTMState:
        """`step` where nobody looks at the logits, as within a prime."""
        if self._compiled is not None and state.h.ndim == 2:
            compiled = self._compiled.run(int(ids), state.h, state.c, looks=False)
            if compiled is not None:
                return LSTMState(*compiled[:2])
        H = self.n_hidden
        # Scratch is allocated, not kept: it takes less than a thousandth of a step and keeps the model free of state.
        h, c = np.empty_like(state.h), np.empty_like(state.c)
        gates: Floats = np.dot(state.h[0], self._layers[0].weight)  # (…, 4H)
        gates += self._rows[ids]
        _cell(gates, state.c[0], h[0], c[0])
        for number, layer in enumerate(self._layers[1:], start=1):
            joined = np.empty((*h.shape[1:-1], 2 * H), np.float32)  # (…, 2H): [the layer below, this layer before]
            joined[..., :H] = h[number - 1]
            joined[..., H:] = state.h[number]
            gates = np.dot(joined, layer.weight)
            gates += layer.bias
            _cell(gates, state.c[number], h[number], c[number])
        return LSTMState(h, c)

    def forward(self, ids: NDArray[np.integer], state: LSTMState | None = None) -> tuple[Floats, LSTMState]:
        """Read whole texts. ids: (T,) or (B, T). Returns logits, (T, n_tokens) or (B, T, n_tokens), and the state.

        Logits at t say what follows ids[t]. Without a state the text starts from zero. For texts whose logits
        do not fit in memory there is `forward_chunks`.
        """
        state = self.initial_state(*ids.shape[:-1]) if state is None else state
        logits = np.empty((*ids.shape, self.n_tokens), np.float32)
        done = 0
        for piece, after in self.forward_chunks(ids, state):
            logits[..., done : done + piece.shape[-2], :] = piece
            done += piece.shape[-2]
            state = after
        return logits, state

    def forward_chunks(
        self, ids: NDArray[np.integer], state: LSTMState | None = None, chunk_rows: int = CHUNK_ROWS
    ) -> Iterator[tuple[Floats, LSTMState]]:
        """`forward` in pieces along T, each with the state after it; a piece holds about `chunk_rows` characters.

        Raises ValueError where the state does not belong to so many texts.
        """
        state = self.initial_state(*ids.shape[:-1]) if state is None else state
        expected = (self.n_layers, *ids.shape[:-1], self.n_hidden)
        if state.h.shape != expected:
            raise ValueError(f"the state has shape {state.h.shape}, these ids need {expected}")
        times = max(1, chunk_rows // max(1, ids[..., :1].size))
        for begin in range(0, ids.shape[-1], times):
            logits, state = self._forward(np.moveaxis(ids[..., begin : begin + times], -1, 0), state)
            yield np.moveaxis(logits, 0, -2), state

    def _forward(self, ids: NDArray[np.integer], state: LSTMState) -> tuple[Floats, LSTMState]:
        """One chunk, time first: (T,) or (T, B). Layer by layer, so that the input products of all T are one."""
        H = self.n_hidden
        h, c = np.empty_like(state.h), state.c.copy()
        outputs = np.empty((*ids.shape, H), np.float32)  # (T, …, H): of the layer at hand, then of the one below
        gates: Floats = np.take(self._rows, ids, axis=0)  # (T, …, 4H); rows[ids] might not be contiguous
        product = np.empty(gates.shape[1:], np.float32)  # (…, 4H)
        for number, layer in enumerate(self._layers):
            if number > 0:
                np.matmul(outputs.reshape(-1, H), layer.weight[:H], out=gates.reshape(-1, 4 * H))
                gates += layer.bias
            recurrent = layer.weight[-H:]
            before = state.h[number]
            for gate, output in zip(gates, outputs, strict=True):
                np.dot(before, recurrent, out=product)
                gate += product
                _cell(gate, c[number], output, c[number])
                before = output
            h[number] = before
        logits = np.matmul(outputs.reshape(-1, H), self._output).reshape(*ids.shape, self.n_tokens)
        logits += self._output_bias
        return logits, LSTMState(h, c)


def _cell(gates: Floats, c: Floats, h_out: Floats, c_out: Floats) -> None:
    """The LSTM's equations as torch writes them; `gates` (…, 4H) in the order i, f, o, g is used up, c_out may be c.

    sigmoid(x) = (tanh(x / 2) + 1) / 2, and the halves are in the weights: one tanh for all four.
    """
    H = c.shape[-1]
    np.tanh(gates, out=gates)
    sigmoids = gates[..., : 3 * H]
    sigmoids *= 0.5
    sigmoids += 0.5
    i, f, o, g = gates[..., :H], gates[..., H : 2 * H], gates[..., 2 * H : 3 * H], gates[..., 3 * H :]
    i *= g
    np.multiply(f, c, out=c_out)
    c_out += i  # c' = f · c + i · g
    np.tanh(c_out, out=h_out)
    h_out *= o  # h' = o · tanh(c')


def _sizes(weights: Weights) -> tuple[int, int, int]:
    """Tokens, hidden units and layers of a CharRNN's tensors, all of which must be there and fit each other."""
    found = [int(match[1]) for name in weights if (match := _LAYER_NAME.fullmatch(name))]
    n_layers = max(found, default=0) + 1
    for name in ("lstm.weight_ih_l0", "lstm.weight_hh_l0", "fc.weight"):
        if name not in weights:
            raise ValueError(f"not the weights of a CharRNN: the tensor {name!r} is missing")
        if weights[name].ndim != 2:
            raise ValueError(f"the tensor {name!r} has shape {weights[name].shape}, expected a matrix")
    n_tokens, n_hidden = weights["lstm.weight_ih_l0"].shape[1], weights["lstm.weight_hh_l0"].shape[1]
    expected = {"fc.weight": (n_tokens, n_hidden), "fc.bias": (n_tokens,)}
    for layer in range(n_layers):
        expected[f"lstm.weight_ih_l{layer}"] = (4 * n_hidden, n_hidden if layer else n_tokens)
        expected[f"lstm.weight_hh_l{layer}"] = (4 * n_hidden, n_hidden)
        expected[f"lstm.bias_ih_l{layer}"] = expected[f"lstm.bias_hh_l{layer}"] = (4 * n_hidden,)
    for name, shape in expected.items():
        if name not in weights:
            raise ValueError(f"not the weights of a CharRNN: the tensor {name!r} is missing")
        if weights[name].shape != shape:
            raise ValueError(f"the tensor {name!r} has shape {weights[name].shape}, expected {shape}")
    if strangers := sorted(weights.keys() - expected.keys()):
        raise ValueError(f"not the weights of a CharRNN of {n_layers} layers: there is a tensor {strangers[0]!r}")
    if n_tokens < 1 or n_hidden < 1:
        raise ValueError(f"the tensor 'fc.weight' is empty, of shape {expected['fc.weight']}")
    return n_tokens, n_hidden, n_layers


def _finite(name: str, tensor: NDArray[np.generic]) -> Floats:
    """A float32 copy. A model that diverged is refused here, in words, before it writes nonsense."""
    if tensor.dtype.kind != "f":
        raise ValueError(f"the tensor {name!r} has dtype {tensor.dtype}, expected floating point numbers")
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, which the next line names
        single = tensor.astype(np.float32)
    if not np.isfinite(single).all():
        raise ValueError(f"the tensor {name!r} holds NaN or infinite numbers: the model diverged in training")
    return single


def _gates(tensor: Floats) -> Floats:
    """(4H, …) in torch's order i, f, g, o to (…, 4H) in the order i, f, o, g, contiguous, with i, f, o halved."""
    i, f, g, o = np.split(tensor, 4)
    return np.ascontiguousarray(np.concatenate([i * 0.5, f * 0.5, o * 0.5, g]).T, dtype=np.float32)


def _bias(tensors: Mapping[str, Floats], number: int) -> Floats:
    return _gates(tensors[f"lstm.bias_ih_l{number}"] + tensors[f"lstm.bias_hh_l{number}"])
