"""The notebook's network without torch: stacked LSTM layers over characters, to write and to score (notebook cell 16).

The equations are those of torch.nn.LSTM, for each layer, with x the one-hot character, or the h' of the layer below:

    i = σ(W_ii x + b_ii + W_hi h + b_hi)        c' = f · c + i · g
    f = σ(W_if x + b_if + W_hf h + b_hf)        h' = o · tanh(c')
    g = tanh(W_ig x + b_ig + W_hg h + b_hg)
    o = σ(W_io x + b_io + W_ho h + b_ho)        logits = W_fc h' + b_fc, of the last layer

In the place of the LSTM may be a GRU or a plain RNN (cells.py).

One character after the other is a chain of matrix–vector products and takes as long as it takes to read the weights.
So everything else is kept out of the way: the product with a one-hot x is a row that is looked up; W_i and W_h of the
upper layers stand in one matrix. An LSTM's large matrices are quantized to 14 bits; compiled code (lstm_step.py), where
it is there, reads them as such and quantizes h to 15.

Shapes: V tokens, H hidden units, L layers, B texts, T characters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import LAYER_TENSORS, Checkpoint, CheckpointError
from charrnn_tui.sampling.cells import CELLS, Floats
from charrnn_tui.sampling.lstm_step import COMPILED, CompiledStep, QuantizedMatrix
from charrnn_tui.sampling.pins import Pin, hold

LARGEST_WEIGHT = 1e30  # sums of a hundred million of them are float32 numbers
QUANTIZED_FROM = 256  # hidden units: smaller matrices fit in the processor's own caches, and gain little
CHUNK_ROWS = 2048  # positions (times texts) held at once in `forward`: 16 MB of gates at 512 hidden units


@dataclass(frozen=True, eq=False)
class HiddenState:
    """What the network remembers: h and c, float32, each (L, H) or, for B texts, (L, B, H). c: see cells.py.

    No method of CharModel writes into a state that it was given or has returned, so states may be shared and kept.
    """

    h: Floats
    c: Floats


@dataclass(frozen=True, eq=False)
class Seen:
    """What `CharModel.read` writes: c after each character, and the gates that made it, or None where nobody asks."""

    cells: Floats  # (T, …, L, H)
    gates: Floats | None = None  # (T, …, L, W·H), activated, in the order of the cell


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer's weights, as its cell arranges them."""

    weight: Floats  # (H, W·H), W_h, in the first layer; (2H, W·H), W_i over W_h, above
    bias: Floats  # (W·H); not used in the first layer, whose rows of W_i hold it


class CharModel:
    """A trained CharRNN in evaluation mode (no dropout). Threads may share it: nothing is written after `__init__`.

    Where a method takes ids, it takes one text or B texts at once; the shapes of the state and of the logits follow.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Raises CheckpointError, one line, for NaN, infinite or huge weights: the model diverged in training."""
        self.n_tokens = len(checkpoint.vocabulary)
        self.n_hidden, self.n_layers = checkpoint.n_hidden, checkpoint.n_layers
        tensors = {name: _finite(name, tensor) for name, tensor in checkpoint.weights.items()}
        self.cell = CELLS[checkpoint.cell]
        arranged = [
            self.cell.matrices(*(tensors[f"{checkpoint.cell}.{part}_l{k}"] for part in LAYER_TENSORS))
            for k in range(self.n_layers)
        ]
        (one_hot, *inputs), recurrent, biases = map(list, zip(*arranged, strict=True))
        self._token_gates = one_hot + biases[0]  # (V, W·H), a row for each one-hot x
        self._output = np.ascontiguousarray(tensors["fc.weight"].T)  # (H, V)
        self._output_bias = tensors["fc.bias"]  # (V)
        self._compiled: CompiledStep | None = None
        if self.cell.name == "lstm" and self.n_hidden >= QUANTIZED_FROM:
            w_h, w_i = list(map(QuantizedMatrix, recurrent)), list(map(QuantizedMatrix, inputs))
            output = QuantizedMatrix(self._output)
            self._compiled = CompiledStep(self._token_gates, w_h, w_i, biases[1:], output, self._output_bias)
            recurrent, inputs = [each.matrix for each in w_h], [each.matrix for each in w_i]
            self._output = output.matrix
        joined = map(np.concatenate, zip(inputs, recurrent[1:], strict=True))  # each (2H, W·H)
        self._layers = tuple(map(_Layer, [recurrent[0], *joined], biases))

    def wait_for_compiled_code(self) -> None:
        """Wait, a second once on a machine, until it is known whether compiled code or NumPy writes with this model.

        A text that NumPy begins and compiled code continues may differ: they round differently, which changes one draw
        in some fifty thousand.
        """
        if self._compiled is not None:
            COMPILED.wait()

    @property
    def runs_compiled(self) -> bool:
        """Whether compiled code computes the steps; then B texts at once get the very numbers that each gets alone."""
        return self._compiled is not None and COMPILED.library is not None

    def initial_state(self, batch_size: int | None = None) -> HiddenState:
        """The state before the first character, all zero (notebook: `init_hidden`)."""
        shape = (self.n_layers, self.n_hidden) if batch_size is None else (self.n_layers, batch_size, self.n_hidden)
        return HiddenState(np.zeros(shape, np.float32), np.zeros(shape, np.float32))

    def step(
        self, ids: int | NDArray[np.integer], state: HiddenState, pins: Sequence[Pin] = ()
    ) -> tuple[Floats, HiddenState]:
        """Read one character of each text. ids: an int or (B). Returns logits, (V) or (B, V), and the state.

        pins: units that are held at a value; then NumPy computes the step.
        """
        if (
            self._compiled is not None
            and not pins
            and (result := self._compiled.run(ids, state.h, state.c)) is not None
        ):
            return result[2], HiddenState(*result[:2])
        state = self.advance(ids, state, pins)
        logits: Floats = np.dot(state.h[-1], self._output)  # (…, V)
        logits += self._output_bias
        return logits, state

    def advance(self, ids: int | NDArray[np.integer], state: HiddenState, pins: Sequence[Pin] = ()) -> HiddenState:
        """`step` without the logits, as within a prime."""
        if self._compiled is not None and not pins:
            result = self._compiled.run(ids, state.h, state.c, with_logits=False)
            if result is not None:
                return HiddenState(*result[:2])
        H, cell = self.n_hidden, self.cell
        # Scratch is allocated, not kept: it takes less than a thousandth of a step and keeps the model free of state.
        h, c = np.empty_like(state.h), np.empty_like(state.c)  # (L, …, H)
        gates: Floats = np.dot(state.h[0], self._layers[0].weight)  # (…, W·H): W_h h
        gates += self._token_gates[ids]  # W_i x + b
        cell.activate(gates)
        cell.combine(gates, state.h[0], state.c[0], h[0], c[0])
        if pins:
            hold(pins, 1, cell.output_gates(gates), h[0], c[0])
        for number, layer in enumerate(self._layers[1:], start=1):
            x_h = np.empty((*h.shape[1:-1], 2 * H), np.float32)  # (…, 2H)
            x_h[..., :H] = h[number - 1]  # x: the new h' of the layer below
            x_h[..., H:] = state.h[number]  # h: this layer before the character
            gates = np.dot(x_h, layer.weight)  # (…, W·H): W_i x + W_h h, one pass over both matrices
            gates += layer.bias
            cell.activate(gates)
            cell.combine(gates, state.h[number], state.c[number], h[number], c[number])
            if pins:
                hold(pins, number + 1, cell.output_gates(gates), h[number], c[number])
        return HiddenState(h, c)

    def forward(
        self, ids: NDArray[np.integer], state: HiddenState | None = None, chunk_rows: int = CHUNK_ROWS
    ) -> Iterator[tuple[Floats, HiddenState]]:
        """Read whole texts, ids (T) or (B, T), in chunks of about `chunk_rows` characters along T.

        Yields the logits of each chunk, (t, V) or (B, t, V), and the state after it. Logits at t predict ids[t + 1].
        Without a state the texts start from zero. Raises ValueError where the state belongs to another number of texts.
        """
        state = self.initial_state(*ids.shape[:-1]) if state is None else state
        expected = (self.n_layers, *ids.shape[:-1], self.n_hidden)
        if state.h.shape != expected:
            raise ValueError(f"the state has shape {state.h.shape}, these ids need {expected}")
        times = max(1, chunk_rows // max(1, ids[..., :1].size))
        for begin in range(0, ids.shape[-1], times):
            logits, state = self._forward(np.moveaxis(ids[..., begin : begin + times], -1, 0), state)
            yield np.moveaxis(logits, 0, -2), state

    def read(self, ids: NDArray[np.integer], state: HiddenState, seen: Seen) -> HiddenState:
        """Read one chunk of texts, ids (T) or (T, B), time first, into `seen`; returns the state after it."""
        return self._forward(ids, state, seen)[1]

    def _forward(
        self, ids: NDArray[np.integer], state: HiddenState, seen: Seen | None = None
    ) -> tuple[Floats, HiddenState]:
        """One chunk, time first: ids (T) or (T, B). Layer by layer, so that W_i x of all T is one matrix product."""
        H, cell, columns = self.n_hidden, self.cell, self.cell.width * self.n_hidden
        h, c = np.empty_like(state.h), state.c.copy()  # (L, …, H)
        outputs = np.empty((*ids.shape, H), np.float32)  # (T, …, H): each layer's h', over that of the layer below
        gates: Floats = np.take(self._token_gates, ids, axis=0)  # (T, …, W·H); [ids] might not be contiguous
        product = np.empty(gates.shape[1:], np.float32)  # (…, W·H)
        for number, layer in enumerate(self._layers):
            w_i, w_h = layer.weight[:-H], layer.weight[-H:]  # (H, W·H), empty in the first layer; (H, W·H)
            if number > 0:
                np.matmul(outputs.reshape(-1, H), w_i, out=gates.reshape(-1, columns))  # W_i x, of all T
                gates += layer.bias
            before = state.h[number]  # (…, H)
            for t, (gate, output) in enumerate(zip(gates, outputs, strict=True)):  # no product of all T: a recurrence
                np.dot(before, w_h, out=product)  # W_h h
                gate += product
                cell.activate(gate)
                if seen is not None and seen.gates is not None:
                    seen.gates[t, ..., number, :] = gate
                cell.combine(gate, before, c[number], output, c[number])
                if seen is not None:
                    seen.cells[t, ..., number, :] = c[number]
                before = output
            h[number] = before
        logits = np.matmul(outputs.reshape(-1, H), self._output).reshape(*ids.shape, self.n_tokens)  # (T, …, V)
        logits += self._output_bias
        return logits, HiddenState(h, c)


def _finite(name: str, tensor: NDArray[np.floating]) -> Floats:
    """A float32 copy. Raises CheckpointError for NaN, infinite or huge weights, whose sums could be infinite."""
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, which the next line names
        single = tensor.astype(np.float32)
    if not np.abs(single).max() < LARGEST_WEIGHT:
        raise CheckpointError(
            f"the tensor {name!r} holds NaN or infinite numbers, or huge ones: the model diverged in training"
        )
    return single
