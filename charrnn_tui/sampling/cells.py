"""The recurrent cells that NumPy computes: LSTM, GRU and plain RNN, with the equations of PyTorch's layers.

A cell says how its weights stand in matrices, and what becomes of what these give. With x the input of a layer and h
its output before, one product gives all that the gates receive, (…, W·H): x · inputs + h · recurrent + bias. What an
LSTM adds to h is c, of which the activation of its units is the tanh; a GRU and an RNN have h alone, and c is what h is
the tanh of, so that an activation is tanh(c) for every cell.
"""

from typing import ClassVar, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_BELOW_ONE: Final = np.nextafter(np.float32(1), np.float32(0))  # the largest tanh whose argument is finite


class LayerMatrices(NamedTuple):
    """A layer's weights, float32, contiguous: inputs (X, W·H) for X inputs, recurrent (H, W·H), bias (W·H)."""

    inputs: Floats
    recurrent: Floats
    bias: Floats


class Cell(Protocol):
    """name: as in the names of its tensors. width: W. gate_names: of the first values after `activate`, each (…, H)."""

    name: ClassVar[str]
    width: ClassVar[int]
    gate_names: ClassVar[tuple[str, ...]]

    def matrices(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> LayerMatrices:
        """PyTorch's tensors as matrices: (G·H, X), (G·H, H) and twice (G·H), with G gates in PyTorch's order."""
        ...

    def activate(self, gates: Floats) -> None:
        """What the gates receive, (…, W·H), becomes their values, in place."""
        ...

    def combine(self, gates: Floats, h: Floats, c: Floats, h_out: Floats, c_out: Floats) -> None:
        """The state after a character, from activated gates, which may be overwritten. All others: (…, H).

        c_out may be c; h_out is not h.
        """
        ...

    def output_gates(self, gates: Floats) -> Floats:
        """(…, H), the factor from tanh(c) to h, after `combine`."""
        ...


class LSTMCell:
    """i, f, o = σ(…), g = tanh(…); c' = f · c + i · g; h' = o · tanh(c') (Hochreiter & Schmidhuber 1997, Gers 2000).

    σ(x) = (tanh(x / 2) + 1) / 2, and the columns of i, f, o are halved: one tanh serves all four gates.
    """

    name: ClassVar[str] = "lstm"
    width: ClassVar[int] = 4
    gate_names: ClassVar[tuple[str, ...]] = ("input", "forget", "output")

    def matrices(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> LayerMatrices:
        """Gates in the order i, f, o, g; PyTorch's is i, f, g, o."""
        return LayerMatrices(*map(self._arranged, (weight_ih, weight_hh, bias_ih + bias_hh)))

    def _arranged(self, tensor: Floats) -> Floats:
        i, f, g, o = np.split(tensor, 4)
        return np.ascontiguousarray(np.concatenate([i * 0.5, f * 0.5, o * 0.5, g]).T, dtype=np.float32)

    def activate(self, gates: Floats) -> None:
        np.tanh(gates, out=gates)
        _from_halves(gates[..., : gates.shape[-1] // 4 * 3])  # (…, 3H): i, f, o

    def combine(self, gates: Floats, h: Floats, c: Floats, h_out: Floats, c_out: Floats) -> None:
        i, f, o, g = _parts(gates, c.shape[-1])
        i *= g
        np.multiply(f, c, out=c_out)
        c_out += i  # c' = f · c + i · g
        np.tanh(c_out, out=h_out)
        h_out *= o  # h' = o · tanh(c')

    def output_gates(self, gates: Floats) -> Floats:
        H = gates.shape[-1] // 4
        return gates[..., 2 * H : 3 * H]


class GRUCell:
    """r, z = σ(…), n = tanh(W_n x + b_n + r · (U_n h + d_n)); h' = (1 - z) · n + z · h (Cho et al. 2014, as PyTorch).

    What n receives from x and from h stand apart, since r acts on the latter alone: columns r, z, n of x, n of h.
    """

    name: ClassVar[str] = "gru"
    width: ClassVar[int] = 4
    gate_names: ClassVar[tuple[str, ...]] = ("reset", "update")

    def matrices(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> LayerMatrices:
        """PyTorch's order is r, z, n; each matrix has zeros in the other one's columns of n."""
        H = len(weight_hh) // 3
        inputs, recurrent = (
            np.concatenate([tensor[: 2 * H] * np.float32(0.5), parts[0], parts[1]])
            for tensor, parts in (
                (weight_ih, (weight_ih[2 * H :], np.zeros_like(weight_ih[2 * H :]))),
                (weight_hh, (np.zeros_like(weight_hh[2 * H :]), weight_hh[2 * H :])),
            )
        )
        gates = (bias_ih[: 2 * H] + bias_hh[: 2 * H]) * np.float32(0.5)
        bias = np.concatenate([gates, bias_ih[2 * H :], bias_hh[2 * H :]])
        return LayerMatrices(np.ascontiguousarray(inputs.T), np.ascontiguousarray(recurrent.T), bias)

    def activate(self, gates: Floats) -> None:
        H = gates.shape[-1] // 4
        sigmoids = gates[..., : 2 * H]
        np.tanh(sigmoids, out=sigmoids)
        _from_halves(sigmoids)
        r, _, n, of_h = _parts(gates, H)
        n += r * of_h
        np.tanh(n, out=n)

    def combine(self, gates: Floats, h: Floats, c: Floats, h_out: Floats, c_out: Floats) -> None:
        _, z, n, _ = _parts(gates, c.shape[-1])
        np.subtract(h, n, out=h_out)
        h_out *= z
        h_out += n  # h' = n + z · (h - n)
        np.arctanh(np.clip(h_out, -_BELOW_ONE, _BELOW_ONE), out=c_out)

    def output_gates(self, gates: Floats) -> Floats:
        return np.ones_like(gates[..., : gates.shape[-1] // 4])


class RNNCell:
    """h' = tanh(W x + U h + b) (Elman 1990)."""

    name: ClassVar[str] = "rnn"
    width: ClassVar[int] = 1
    gate_names: ClassVar[tuple[str, ...]] = ()

    def matrices(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> LayerMatrices:
        return LayerMatrices(np.ascontiguousarray(weight_ih.T), np.ascontiguousarray(weight_hh.T), bias_ih + bias_hh)

    def activate(self, gates: Floats) -> None:
        """There are none."""

    def combine(self, gates: Floats, h: Floats, c: Floats, h_out: Floats, c_out: Floats) -> None:
        c_out[...] = gates
        np.tanh(c_out, out=h_out)

    def output_gates(self, gates: Floats) -> Floats:
        return np.ones_like(gates)


CELLS: Final[dict[str, Cell]] = {cell.name: cell for cell in (LSTMCell(), GRUCell(), RNNCell())}


def _parts(gates: Floats, units: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Four views, each (…, H)."""
    one, two, three, four = (gates[..., k * units : (k + 1) * units] for k in range(4))
    return one, two, three, four


def _from_halves(tanh: Floats) -> None:
    """tanh(x / 2) becomes σ(x), in place."""
    tanh *= 0.5
    tanh += 0.5
