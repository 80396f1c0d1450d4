"""Whole modules of torch, as `torch.save(model)` writes them: their tensors, by the names of a `state_dict`.

A module is an object of a class that need not be here. Nothing runs: what it computes is its parts', taken in the order
that `recognised.py` expects; a part that is known to compute anything else is refused by name.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.checkpoint.unpickling import Record, Tensor

_DEEPEST: Final = 20  # modules within modules
_TORCH: Final = "torch.nn."
_UNDERSTOOD: Final = {  # torch's own classes, whose tensors tell the rest or which change nothing in evaluation
    *("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell", "Embedding", "Linear"),
    *("Dropout", "LogSoftmax", "Softmax", "Identity", "CrossEntropyLoss", "NLLLoss"),
    *("Sequential", "ModuleList", "ModuleDict", "DataParallel", "DistributedDataParallel"),
}


def is_module(value: Record) -> bool:
    """Whether it is a module: it has parameters and modules."""
    return all(isinstance(value.state.get(name), Mapping) for name in ("_parameters", "_modules"))


def tensors_of(module: Record) -> dict[str, Tensor]:
    """Its parameters and those of its parts. Raises CheckpointError for a part of torch's that is not understood."""
    return dict(_named_tensors(module, "", set()))


def _named_tensors(module: Record, prefix: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    """seen: the modules that were visited, by id; one that is there twice has its tensors under the first name."""
    seen.add(id(module))
    _check(module, prefix.rstrip(".") or "the module")
    if prefix.count(".") > _DEEPEST:
        raise CheckpointError("its modules are nested too deep")
    for kind in ("_parameters", "_buffers"):
        for name, tensor in (module.state.get(kind) or {}).items():
            if isinstance(tensor, Tensor):
                yield f"{prefix}{name}", tensor
    for name, part in module.state["_modules"].items():
        if isinstance(part, Record) and is_module(part) and id(part) not in seen:
            yield from _named_tensors(part, f"{prefix}{name}.", seen)


def _check(module: Record, name: str) -> None:
    kind = module.kind.rpartition(".")[2]
    if module.kind.startswith(_TORCH) and kind not in _UNDERSTOOD:
        raise CheckpointError(f"its part {name} is a {kind}, which is not understood")
    nonlinearity = module.state.get("nonlinearity", module.state.get("mode", ""))
    if isinstance(nonlinearity, str) and nonlinearity.lower().endswith("relu"):
        raise CheckpointError(f"its part {name} is an RNN of relu; only one of tanh is understood")
