"""Whether an accelerator computes what the CPU computes: PyTorch's LSTM and dropout are silently wrong on some."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from charrnn_tui.training.dropout import plain_dropout
from charrnn_tui.training.model import CharRNN

_TOKENS, _HIDDEN, _LAYERS, _SEQ, _BATCH = 11, 24, 2, 9, 5
_DROP = 0.4
_TOLERANCE = 1e-3  # of a tensor's largest number; float32 in another order of summation moves it by 1e-6
_DRAWS = 10_000


def disagreement(device: torch.device, model: CharRNN | None = None) -> str:
    """A description of what a small model computes differently on this device and the CPU; empty if nothing.

    Compared are two training steps with the same dropout masks (losses, gradients, hidden states) and an evaluation;
    and masks that the device draws must differ. It takes about a second. model: another one, on the device, to check.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        here = CharRNN(_TOKENS, _HIDDEN, _LAYERS, _DROP, weight_drop=_DROP)
        model = model or deepcopy(here)
        model.load_state_dict(here.state_dict())
        try:
            expected, found = _computed(here), _computed(model.to(device))
            for what, tensor in expected.items():
                difference = (found[what] - tensor).abs().max() / tensor.abs().max()
                if not difference <= _TOLERANCE:  # nor is NaN
                    return f"{what} differs by {difference:.2g} of its size"
            return _wrong_masks(device)
        except (RuntimeError, NotImplementedError) as error:
            return str(error).splitlines()[0] or type(error).__name__


def _computed(model: CharRNN) -> dict[str, Tensor]:
    """The numbers to compare, on the CPU."""
    device, computed, generator = model.fc.weight.device, dict[str, Tensor](), torch.Generator().manual_seed(1)
    ids = torch.randint(_TOKENS, (2, _SEQ, _BATCH), generator=generator)
    hidden = model.init_hidden(_BATCH)
    model.forced_dropout = _with_masks_of(generator)
    for step, x in enumerate(ids.to(device), start=1):
        model.zero_grad()
        logits, hidden = model.train()(x, hidden)
        loss = cross_entropy(logits, x.roll(-1, 0).reshape(-1))
        loss.backward()  # type: ignore[no-untyped-call]  # torch's
        computed[f"the loss of step {step}"] = loss.detach().cpu()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None
            computed[f"the gradient of {name} in step {step}"] = parameter.grad.cpu()
        for name, state in zip("hc", hidden, strict=True):
            computed[f"the hidden state {name} after step {step}"] = state.cpu()
    model.forced_dropout = None  # in evaluation there must be none
    with torch.inference_mode():
        computed["the logits in evaluation"] = model.eval()(ids[0].to(device), hidden)[0].cpu()
    return computed


def _with_masks_of(generator: torch.Generator) -> Callable[[Tensor, float, bool], Tensor]:
    """Dropout whose masks are drawn on the CPU, so that every device has the same."""

    def masked(x: Tensor, p: float, training: bool) -> Tensor:
        kept = torch.rand(x.shape, generator=generator) >= p
        return x * kept.to(x.device) / (1 - p) if training else x

    return masked


def _wrong_masks(device: torch.device) -> str:
    """What is wrong with the masks that the device draws itself; empty if nothing."""
    masks = [plain_dropout(torch.ones(_DRAWS, device=device), _DROP, True).cpu() > 0 for _ in range(2)]
    shares = [float(mask.float().mean()) for mask in (*masks, masks[0] == masks[1])]
    for share, expected in zip(shares, (1 - _DROP, 1 - _DROP, _DROP**2 + (1 - _DROP) ** 2), strict=True):
        if abs(share - expected) > 0.05:  # ten standard deviations
            return f"dropout's masks are not random: {share:.0%} where {expected:.0%} is expected"
    return ""
