"""How many floating-point operations a training takes, and how many a second this machine can do."""

import time
from functools import cache

import torch

from charrnn_tui.training.devices import Placement, cpu_has_bfloat16

_SECONDS = 0.15  # after which no further product is begun
_INNER, _COLUMNS = 1024, 2048


def flops_per_char(tokens: int, n_hidden: int, n_layers: int) -> int:
    """Operations per character of a training step: those of its matrix products, which are nearly all.

    A weight that is multiplied costs 6 (Kaplan et al. 2020, section 2.1): the forward pass multiplies and adds once,
    the backward pass twice, for the gradients of the product's input and of the weight. Such weights are R, 4n × n, in
    each layer, W, 4n × n, in all layers but the first, whose one-hot input only looks up a row of W, and the output
    layer's, n × tokens. What an implementation computes beyond that does not count (Chowdhery et al. 2022, appendix B).
    """
    weights = (2 * n_layers - 1) * 4 * n_hidden * n_hidden + n_hidden * tokens
    return 6 * weights


@cache
def limit_gflops(placement: Placement) -> float:
    """The machine's limit: GFLOP/s of its fastest large matrix product, with a training's precision and threads.

    0.0, for unknown, if bfloat16 is emulated, which is so slow that one product takes half a minute. Measured once in a
    process, in less than half a second and without random numbers. Load by other programs lowers it.
    """
    device = placement.device
    if device == "cpu" and placement.precision == "bfloat16" and not cpu_has_bfloat16():
        return 0.0
    dtype, synchronize = getattr(torch, placement.precision), torch.get_device_module(device).synchronize
    rows = 1024 if device == "cpu" else 32 * 1024
    x = torch.linspace(-1, 1, rows * _INNER, device=device).view(rows, _INNER).to(dtype)
    weight = torch.linspace(-1, 1, _INNER * _COLUMNS, device=device).view(_INNER, _COLUMNS).to(dtype)
    product = torch.zeros(rows, _COLUMNS, dtype=dtype, device=device)  # written over: no time goes into new memory
    best, ends_at = float("inf"), time.perf_counter() + _SECONDS  # best: seconds
    while best == float("inf") or time.perf_counter() < ends_at:
        synchronize()
        started = time.perf_counter()
        torch.mm(x, weight, out=product)
        synchronize()
        best = min(best, time.perf_counter() - started)
    return 2e-9 * rows * _INNER * _COLUMNS / best
