"""cuDNN's LSTM, in float32 (TF32 where the GPU has it) or bfloat16.

Under autocast PyTorch calls cuDNN with float16 whatever dtype was asked for (`_cudnn_rnn_cast_reflatten`), and the
gradients of a mean over thousands of characters underflow in float16. So the dtypes are chosen here.
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn

_MATRICES = 2  # of a layer's four weights: weight_ih, weight_hh, bias_ih, bias_hh
_WEIGHTS = 4


@cache
def has_bfloat16() -> bool:
    """Whether cuDNN computes LSTMs in bfloat16 here: since version 9.13, on GPUs since compute capability 8.0."""
    if torch.version.hip is not None:  # AMD's, whose library is not cuDNN
        return False
    version = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]  # torch's
    return (version or 0) >= 91300 and torch.cuda.get_device_capability() >= (8, 0)


def cudnn_lstm(
    x: Tensor,
    hidden: tuple[Tensor, Tensor],
    weights: Sequence[Tensor],
    dtype: torch.dtype,
    *,
    dropout: float,
    training: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Output (seq, batch, n), h and c (layers, batch, n), of dtype `dtype`.

    x: (seq, batch, inputs). weights: four a layer, float32, in the order of nn.LSTM. dropout: between layers, if
    training; only then there is a backward pass.
    """
    with torch.autocast(x.device.type, enabled=False):
        given = list(weights)
        if dtype != torch.float32 or not all(isinstance(weight, nn.Parameter) for weight in weights):
            given = in_one_piece(weights, dtype)  # nn.LSTM has done so with its parameters as they are
        state, layers = tuple(tensor.to(dtype) for tensor in hidden), len(given) // _WEIGHTS
        return torch._VF.lstm(x.to(dtype), state, given, True, layers, dropout, training, False, False)


def in_one_piece(weights: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """The weights as views of one tensor, in cuDNN's order: the matrices of all layers, then the biases.

    If they do not lie in memory like this, cuDNN copies them at every call.
    """
    places = sorted(range(len(weights)), key=lambda place: place % _WEIGHTS >= _MATRICES)
    piece = torch.cat([weights[place].reshape(-1) for place in places]).to(dtype)
    views = dict(zip(places, torch.split(piece, [weights[place].numel() for place in places]), strict=True))
    return [views[place].view_as(weight) for place, weight in enumerate(weights)]
