"""An LSTM layer for the CPU with its own forward and backward passes.

The cell is that of Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000, as in torch.nn.LSTM. Per
time step, with * elementwise, W = weight_ih, R = weight_hh, b = bias_ih + bias_hh:

    i, f, g, o = sigma(a_i), sigma(a_f), tanh(a_g), sigma(a_o)      where  a = W x[t] + R h[t-1] + b
    c[t] = f * c[t-1] + i * g
    h[t] = o * tanh(c[t])

nn.LSTM passes over memory many times per time step; this layer does one matrix product, R h[t-1], and one pass over the
gates, both compiled (lstm_cell.c; in bfloat16 the product is oneDNN's). Whatever does not depend on the step before is
one product over all time steps: W x + b, and the gradients of the weights. A layer that reads characters looks up a row
of W instead of multiplying a one-hot x.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import torch
from torch import Tensor

from charrnn_tui.training.lstm_cell import compiled_cell

State = tuple[Tensor, Tensor]  # h and c after the last time step, float32 (batch, n)


class Workspace:
    """Large tensors that serve again at the next step: fresh ones cost a page fault every 4 KB, a tenth of a step."""

    def __init__(self) -> None:
        self._free: dict[tuple[tuple[int, ...], torch.dtype], list[Tensor]] = {}

    def take(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """A contiguous tensor with any contents."""
        if free := self._free.get((shape, dtype)):
            return free.pop()
        with torch.inference_mode(False):  # a validation's will serve in training
            return torch.empty(shape, dtype=dtype)

    def give_back(self, *tensors: Tensor) -> None:
        """Nobody reads these any more."""
        for tensor in tensors:
            self._free.setdefault((tuple(tensor.shape), tensor.dtype), []).append(tensor)


def lstm_layer(
    x: Tensor,
    state: State,
    weights: Sequence[Tensor],
    dtype: torch.dtype,
    check: Callable[[], None] = lambda: None,
    workspace: Workspace | None = None,
) -> Any:
    """(output (seq, batch, n) of dtype `dtype`, detached State) of one layer. Needs `compiled_cell()`.

    x: ids int64 (seq, batch), or (seq, batch, inputs) of dtype `dtype`. state: float32 (batch, n), taken as constant.
    weights: weight_ih (4n, inputs), weight_hh (4n, n), bias_ih and bias_hh (4n,), float32, as in nn.LSTM. dtype:
    float32 or bfloat16, of the products and gates; sums and cell state are float32. check: called at each time step,
    forward and backward; may raise to give up. workspace: of the model; after the backward pass, the next forward pass
    writes over the output.
    """
    backward = torch.is_grad_enabled()  # whether there may be one: inside a Function it is always off
    output, h, c = _Layer.apply(x, *state, *weights, dtype, check, workspace or Workspace(), backward)  # type: ignore[no-untyped-call]  # torch's
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
        dtype: torch.dtype,
        check: Callable[[], None],
        workspace: Workspace,
        backward: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        cell, seq, batch, n = compiled_cell(), *x.shape[:2], weight_hh.shape[1]
        hs = workspace.take(seq + 1, batch, n, dtype=dtype)  # hs[t + 1] is the output of time step t
        cs = workspace.take(seq + 1, batch, n)  # float32: it sums over the whole sequence
        hs[0], cs[0] = h_0, c_0
        reads_ids = x.dim() == 2
        if reads_ids:  # W x + b of each character of the alphabet
            entered = (weight_ih.t() + (bias_ih + bias_hh)).to(dtype).contiguous()  # (alphabet, 4n)
            gates = workspace.take(seq, batch, 4 * n, dtype=dtype)
        else:  # W x + b of all time steps at once; each step's gates replace its share in place
            gates = entered = workspace.take(seq, batch, 4 * n, dtype=dtype)
            flat, bias = x.reshape(seq * batch, -1), (bias_ih + bias_hh).to(dtype)
            _Product(weight_ih.to(dtype), seq * batch)(flat, bias, out=entered.view(seq * batch, -1))
        recurrent = _Product(weight_hh.to(dtype), batch)
        for t in range(seq):
            check()
            from_before = recurrent(hs[t])  # R h[t-1]: (batch, 4n)
            inputs, rows = (entered, x[t]) if reads_ids else (entered[t], None)
            cell.call("forward", dtype, batch, n, from_before, inputs, rows, cs[t], gates[t], cs[t + 1], hs[t + 1])
        h, c = hs[seq].to(torch.float32, copy=True), cs[seq].clone()
        ctx.save_for_backward(x, hs, cs, weight_ih, weight_hh)
        ctx.check, ctx.workspace = check, workspace
        ctx.gates = gates  # not through save_for_backward, which forbids the backward pass to write over them
        if not backward:
            workspace.give_back(gates, cs)
        ctx.mark_non_differentiable(h, c)  # truncated backpropagation: the next batch starts from them as constants
        return hs[1:], h, c

    @staticmethod
    def backward(ctx: Any, d_output: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        x, hs, cs, weight_ih, weight_hh = ctx.saved_tensors
        gates = ctx.gates
        del ctx.gates  # they become gradients below, so that a second backward is impossible
        cell, dtype, (seq, batch, four_n), n = compiled_cell(), gates.dtype, gates.shape, hs.shape[-1]
        d_output = d_output.to(dtype).contiguous()  # (seq, batch, n)
        d_h, d_c = torch.zeros(batch, n, dtype=dtype), torch.zeros(batch, n)  # from later time steps: none yet
        recurrent = _Product(weight_hh.to(dtype).t(), batch)
        for t in reversed(range(seq)):
            ctx.check()
            cell.call("backward", dtype, batch, n, d_output[t], d_h, gates[t], cs[t], cs[t + 1], d_c)
            if t:  # h_0 is a constant
                d_h = recurrent(gates[t])  # R^T d_a[t]: (batch, n)
        flat = gates.view(-1, four_n)  # d_a of all time steps: (seq * batch, 4n)
        d_weight_hh = (flat.t() @ hs[:-1].view(-1, n)).float()  # sum over t of d_a[t] h[t-1]^T: (4n, n)
        if x.dim() == 2:  # d_a summed by character is the product with the one-hot x
            d_x = None
            by_character = _sums(flat, x.view(-1), weight_ih.shape[1])  # (alphabet, 4n)
            d_weight_ih, d_bias = by_character.t(), by_character.sum(0)  # (4n, alphabet), (4n,)
        else:
            d_x = _Product(weight_ih.to(dtype).t(), len(flat))(flat).view(x.shape)  # (seq, batch, inputs)
            d_weight_ih = (flat.t() @ x.view(-1, x.shape[-1])).float()  # (4n, inputs)
            d_bias = _sums(flat, torch.zeros(len(flat), dtype=torch.int64), 1)[0]  # (4n,)
        ctx.workspace.give_back(gates, hs, cs)
        return d_x, None, None, d_weight_ih, d_weight_hh, d_bias, d_bias, None, None, None, None


def _sums(rows: Tensor, ids: Tensor, alphabet: int) -> Tensor:
    """For each id the sum of its rows, float32 (alphabet, width), added in the order of the rows."""
    sums = torch.zeros(alphabet, rows.shape[1])
    compiled_cell().call("add_rows", rows.dtype, *rows.shape, ids, rows, sums)
    return sums


class _Product:
    """x @ weight.t() + bias for x of shape (rows, k); the weight (n, k) is packed once, not at every product."""

    def __init__(self, weight: Tensor, rows: int) -> None:
        (self.n, self.k), self.transposed, wide = weight.shape, weight.t(), compiled_cell().wide
        self.packed: Tensor | None = None
        self.ours = weight.dtype == torch.float32 and wide > 0 and self.n % wide == 0
        if self.ours:
            self.packed = weight.reshape(-1, wide, self.k).transpose(1, 2).contiguous()  # (n / wide, k, wide)
            return
        with suppress(AttributeError, RuntimeError):  # this torch has no oneDNN, or not for this dtype
            self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)

    def __call__(self, x: Tensor, bias: Tensor | None = None, out: Tensor | None = None) -> Tensor:
        """bias: (n,). out: where to write the result (rows, n), or None for a new tensor."""
        if self.ours:
            product, x = x.new_empty(len(x), self.n) if out is None else out, x.contiguous()
            compiled_cell().call("multiply", x.dtype, len(x), self.n, self.k, x, self.packed, bias, product)
            return product
        if bias is not None:
            return torch.addmm(bias, x, self.transposed, out=out)
        if self.packed is None:
            return torch.mm(x, self.transposed, out=out)
        return cast(Tensor, torch.ops.mkldnn._linear_pointwise(x, self.packed, None, "none", [], ""))
