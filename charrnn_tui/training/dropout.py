"""Dropout (Srivastava et al. 2014) whose random numbers cost little: PyTorch's took a fifth of a step on a CPU."""

import torch
from torch import Tensor


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """`torch.nn.functional.dropout`, drawn from PyTorch's generator, four numbers out of one of 64 bits.

    p is rounded to a multiple of 1/65,536; what is kept is scaled by the rounded one, so that the mean stays. p < 1.
    """
    dropped = round(p * 65_536)
    if not training or dropped == 0:
        return x
    numbers = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    kept = numbers[: x.numel()].view(x.shape) >= dropped - 32_768
    return x * kept * (65_536 / (65_536 - dropped))
