"""AdamW (Loshchilov & Hutter 2019, algorithm 2); without weight decay it is the notebook's Adam (cell 30).

It calls PyTorch's fused operation directly: importing torch.optim loads a compiler, which takes a second and 50 MB.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

_BETAS, _EPS = (0.9, 0.999), 1e-8
_STATE = ("step", "exp_avg", "exp_avg_sq")  # of a parameter: t, m, v, as torch.optim names them


class AdamW:
    """An optimizer whose steps a CUDA graph can hold: all tensors keep their addresses, the learning rate is one."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float, *, broken: Tensor) -> None:
        """broken: float32 (), on the parameters' device; while it is 1, steps change nothing."""
        self._parameters: list[Tensor] = list(parameters)
        self._weight_decay, self._broken = weight_decay, broken
        self._fused = broken.device.type in ("cpu", "cuda")
        self._lr: Any = torch.tensor(lr, device=broken.device) if broken.device.type == "cuda" else lr
        self._steps = [torch.zeros((), device=broken.device) for _ in self._parameters]
        self._means, self._squares = ([torch.zeros_like(tensor) for tensor in self._parameters] for _ in _BETAS)

    def set_lr(self, lr: float) -> None:
        """Set the learning rate of the following steps."""
        if isinstance(self._lr, Tensor):
            self._lr.fill_(lr)
        else:
            self._lr = lr

    def tensors(self) -> list[Tensor]:
        """Its whole state but the learning rate, not copied."""
        return [*self._steps, *self._means, *self._squares]

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def pack_gradients(self, loss: Tensor) -> Tensor:
        """The loss, (), and all gradients in one vector, (1 + parameters,)."""
        gradients = [parameter.grad.reshape(-1) for parameter in self._parameters if parameter.grad is not None]
        return torch.cat((loss.reshape(1), *gradients))

    def unpack_gradients(self, packed: Tensor) -> Tensor:
        """Set the gradients to those of such a vector, which they are views of; returns its loss, ()."""
        loss, *gradients = torch.split(packed, [1, *(parameter.numel() for parameter in self._parameters)])
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient.view_as(parameter)
        return loss.reshape(())

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters by their gradients."""
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        if self._fused:
            self._step_fused(gradients)
        elif not self._broken:
            self._step_plain(gradients)

    def _step_fused(self, gradients: list[Tensor]) -> None:
        torch._foreach_add_(self._steps, 1)  # t = t + 1: the operation expects the new t
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
        torch._foreach_sub_(self._steps, [self._broken] * len(self._steps))  # a step that changed nothing has no t

    def _step_plain(self, gradients: list[Tensor]) -> None:
        """The same in single operations, for devices without the fused one."""
        (beta1, beta2), lr = _BETAS, float(self._lr)
        for theta, g, t, m, v in zip(self._parameters, gradients, self._steps, self._means, self._squares, strict=True):
            t += 1
            theta.mul_(1 - lr * self._weight_decay)  # decoupled: the decay does not pass through the moments
            m.lerp_(g, 1 - beta1)  # m = beta1 m + (1 - beta1) g
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)  # v = beta2 v + (1 - beta2) g^2
            # The moments start at 0; dividing by 1 - beta^t removes that bias.
            bias1, bias2 = 1 - beta1 ** t.item(), 1 - beta2 ** t.item()
            theta.addcdiv_(m, v.sqrt().div_(math.sqrt(bias2)).add_(_EPS), value=-lr / bias1)

    def state_dict(self) -> dict[str, Any]:
        """As torch.optim.AdamW's, without moments before the first step; the next step changes its tensors."""
        columns = zip(self._steps, self._means, self._squares, strict=True) if self._steps[0] else ()
        state = {place: dict(zip(_STATE, column, strict=True)) for place, column in enumerate(columns)}
        group = {"lr": float(self._lr), "betas": _BETAS, "eps": _EPS, "weight_decay": self._weight_decay}
        return {"state": state, "param_groups": [group | {"params": list(state)}]}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the state of a training on any device; one without moments starts them at 0."""
        for place, column in enumerate(zip(self._steps, self._means, self._squares, strict=True)):
            given = state["state"].get(place)
            for own, name in zip(column, _STATE, strict=True):
                own.copy_(torch.as_tensor(given[name])) if given else own.zero_()
