"""AdamW (Loshchilov and Hutter 2019, algorithm 2), which is the notebook's Adam (cell 30) where no weight decays.

PyTorch's operation without torch.optim, which loads a compiler: a second or more at the start of a training, and 50 MB.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

_BETAS, _EPS = (0.9, 0.999), 1e-8
_STATE = ("step", "exp_avg", "exp_avg_sq")  # of a parameter, as torch.optim names it


class AdamW:
    """Steps that a GPU can record: all that they read and write stays where it is, the learning rate too."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float, *, broken: Tensor) -> None:
        """broken: (), float32, on the parameters' device; while it is 1, steps change nothing."""
        self._parameters: list[Tensor] = list(parameters)
        self._weight_decay, self._broken = weight_decay, broken
        self._fused = broken.device.type in ("cpu", "cuda")
        self._lr: Any = torch.tensor(lr, device=broken.device) if broken.device.type == "cuda" else lr
        self._steps = [torch.zeros((), device=broken.device) for _ in self._parameters]
        self._means, self._squares = ([torch.zeros_like(tensor) for tensor in self._parameters] for _ in _BETAS)

    def set_lr(self, lr: float) -> None:
        """For the steps that come."""
        if isinstance(self._lr, Tensor):
            self._lr.fill_(lr)
        else:
            self._lr = lr

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change the parameters by their gradients."""
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        if self._fused:
            self._step_fused(gradients)
        elif not self._broken:
            self._step_plain(gradients)

    def _step_fused(self, gradients: list[Tensor]) -> None:
        torch._foreach_add_(self._steps, 1)
        torch._fused_adamw_(
            self._parameters,
            gradients,
            self._means,
            self._squares,
            [],
            self._steps,
            lr=self._lr,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            weight_decay=self._weight_decay,
            eps=_EPS,
            amsgrad=False,
            maximize=False,
            found_inf=self._broken,
        )
        torch._foreach_sub_(self._steps, [self._broken] * len(self._steps))

    def _step_plain(self, gradients: list[Tensor]) -> None:
        lr = float(self._lr)
        for tensor, gradient, step, mean, square in zip(
            self._parameters, gradients, self._steps, self._means, self._squares, strict=True
        ):
            step += 1
            tensor.mul_(1 - lr * self._weight_decay)
            mean.lerp_(gradient, 1 - _BETAS[0])
            square.mul_(_BETAS[1]).addcmul_(gradient, gradient, value=1 - _BETAS[1])
            unbiased = [1 - beta ** step.item() for beta in _BETAS]
            tensor.addcdiv_(mean, square.sqrt().div_(math.sqrt(unbiased[1])).add_(_EPS), value=-lr / unbiased[0])

    def state_dict(self) -> dict[str, Any]:
        """As torch.optim.AdamW's; the tensors are those that the next step changes."""
        columns = zip(self._steps, self._means, self._squares, strict=True)
        state = {place: dict(zip(_STATE, column, strict=True)) for place, column in enumerate(columns)}
        group = {"lr": float(self._lr), "betas": _BETAS, "eps": _EPS, "weight_decay": self._weight_decay}
        return {"state": state, "param_groups": [group | {"params": list(state)}]}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the moments of a training on any device, of which none may have been told yet."""
        for place, column in enumerate(zip(self._steps, self._means, self._squares, strict=True)):
            given = state["state"].get(place)
            for own, name in zip(column, _STATE, strict=True):
                own.copy_(torch.as_tensor(given[name])) if given else own.zero_()
