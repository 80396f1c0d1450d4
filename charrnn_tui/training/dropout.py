"""Dropout (Srivastava et al. 2014) with cheap random numbers: PyTorch's take a fifth of a training step on a CPU."""

import torch
from torch import Tensor


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """`torch.nn.functional.dropout` for p < 1, from PyTorch's generator, four 16-bit numbers out of one of 64 bits.

    p is rounded to a multiple of 1/65,536; the scale uses the rounded p, so that the mean stays.
    """
    dropped = round(p * 65_536)
    if not training or dropped == 0:
        return x
    numbers = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)  # uniform
    kept = numbers[: x.numel()].view(x.shape) >= dropped - 32_768  # P(kept) = 1 - dropped / 65,536
    return (x * kept).mul_(65_536 / (65_536 - dropped))  # E[output] = x


def plain_dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """`torch.nn.functional.dropout` for p < 1 in single operations, for accelerators whose own one may be wrong."""
    if not training or p == 0:
        return x
    kept = torch.rand(x.shape, device=x.device) >= p
    return x * kept / (1 - p)  # E[output] = x
