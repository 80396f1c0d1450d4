"""An LSTM layer for the CPU with its own forward and backward (Hochreiter & Schmidhuber 1997; gates as PyTorch's).

Where nn.LSTM passes over memory many times a step, here each time step is one matrix product and one compiled pass
over its gates. What does not depend on the step before is one product over all steps: the input's share of the gates,
and the gradients of the weights. A layer that reads characters looks up a row instead of multiplying a one-hot vector.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from charrnn_tui.training.lstm_cell import compiled_cell

State = tuple[Tensor, Tensor]  # h and c after the last step, float32 (batch, n)


def lstm_layer(x: Tensor, state: State, weights: Sequence[Tensor], kind: torch.dtype) -> Any:
    """(output (seq, batch, n) of dtype `kind`, detached State) of one layer.

    x: ids int64 (seq, batch), or (seq, batch, inputs) of dtype `kind`. state: float32 (batch, n), taken as constant.
    weights: weight_ih (4n, inputs), weight_hh (4n, n), bias_ih and bias_hh (4n,), float32, as in nn.LSTM. kind: float32
    or bfloat16, in which the products are computed; sums and cell state are float32. Needs `compiled_cell()`.
    """
    output, h, c = _Layer.apply(x, *state, *weights, kind)  # type: ignore[no-untyped-call]  # torch's
    return output, (h, c)


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h_0: Tensor,
        c_0: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
        kind: torch.dtype,
    ) -> tuple[Tensor, Tensor, Tensor]:
        cell, seq, batch, n = compiled_cell(), *x.shape[:2], weight_hh.shape[1]
        hs = torch.empty(seq + 1, batch, n, dtype=kind)
        cs = torch.empty(seq + 1, batch, n)
        hs[0], cs[0] = h_0, c_0
        reads_ids = x.dim() == 2
        if reads_ids:
            entered = (weight_ih.t() + (bias_ih + bias_hh)).to(kind).contiguous()  # (alphabet, 4n)
            gates = torch.empty(seq, batch, 4 * n, dtype=kind)
        else:
            entered = gates = torch.nn.functional.linear(x, weight_ih.to(kind), (bias_ih + bias_hh).to(kind))
        recurrent = _Product(weight_hh.to(kind), batch)
        for t in range(seq):
            from_before = recurrent(hs[t])  # (batch, 4n)
            inputs, rows = (entered, x[t]) if reads_ids else (entered[t], None)
            cell.call("forward", kind, batch, n, from_before, inputs, rows, cs[t], gates[t], cs[t + 1], hs[t + 1])
        ctx.save_for_backward(x, hs, cs, weight_ih, weight_hh)
        ctx.gates = gates  # backward writes over them
        h, c = hs[seq].float(), cs[seq].clone()
        ctx.mark_non_differentiable(h, c)  # the next batch starts from them, but does not learn through them
        return hs[1:], h, c

    @staticmethod
    def backward(ctx: Any, d_output: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        x, hs, cs, weight_ih, weight_hh = ctx.saved_tensors
        gates = ctx.gates
        del ctx.gates  # once they are gradients, there is no second backward
        cell, kind, (seq, batch, four_n), n = compiled_cell(), gates.dtype, gates.shape, hs.shape[-1]
        d_output = d_output.to(kind).contiguous()
        d_h, d_c = torch.zeros(batch, n, dtype=kind), torch.zeros(batch, n)
        recurrent = _Product(weight_hh.to(kind).t().contiguous(), batch)
        for t in reversed(range(seq)):
            cell.call("backward", kind, batch, n, d_output[t], d_h, gates[t], cs[t], cs[t + 1], d_c)
            if t:
                d_h = recurrent(gates[t])  # (batch, n)
        flat = gates.view(-1, four_n)  # (seq * batch, 4n)
        d_weight_hh = (flat.t() @ hs[:-1].view(-1, n)).float()
        if x.dim() == 2:
            d_x = None
            by_character = _sums(flat, x.view(-1), weight_ih.shape[1])  # (alphabet, 4n)
            d_weight_ih, d_bias = by_character.t(), by_character.sum(0)
        else:
            d_x = (flat @ weight_ih.to(kind)).view(x.shape)
            d_weight_ih = (flat.t() @ x.view(-1, x.shape[-1])).float()
            d_bias = _sums(flat, torch.zeros(len(flat), dtype=torch.int64), 1)[0]
        return d_x, None, None, d_weight_ih, d_weight_hh, d_bias, d_bias, None


def _sums(rows: Tensor, ids: Tensor, alphabet: int) -> Tensor:
    """For each id the sum of its rows, float32 (alphabet, width), in the order of the rows."""
    sums = torch.zeros(alphabet, rows.shape[1])
    compiled_cell().call("add_rows", rows.dtype, *rows.shape, ids, rows, sums)
    return sums


class _Product:
    """x @ weight.t() for many x of shape (rows, k): the weight is packed once, which oneDNN else does each time."""

    def __init__(self, weight: Tensor, rows: int) -> None:
        self.transposed = weight.t()
        try:
            self.packed = torch.ops.mkldnn._reorder_linear_weight(weight, rows)
        except (AttributeError, RuntimeError):  # no oneDNN in this torch, or not for this type
            self.packed = None

    def __call__(self, x: Tensor) -> Tensor:
        if self.packed is None:
            return torch.mm(x, self.transposed)
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.packed, None, "none", [], "")
        return product
