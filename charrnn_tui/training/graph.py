"""Work that is the same each time, given to a GPU in one piece: a CUDA graph.

cuDNN hands a GPU each time step of each layer by itself. A step of training is a thousand such pieces, and handing them
over takes several times as long as the GPU needs for them.
"""

from collections.abc import Callable

import torch
from torch import Tensor

_BY_PIECES = 3  # times before it is recorded: what libraries prepare at their first use cannot be


class Graph:
    """One piece of work: done as it is at first, then recorded and replayed. Elsewhere than on CUDA always as it is."""

    def __init__(self, device: torch.device) -> None:
        self._recordable, self._runs = device.type == "cuda", 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._given: tuple[Tensor, ...] = ()
        self._made: tuple[Tensor, ...] = ()

    def run(self, work: Callable[..., tuple[Tensor, ...]], *given: Tensor) -> tuple[Tensor, ...]:
        """What `work` makes of these tensors; their shapes, and all else that it reads, stay where they are.

        It must not wait for the GPU, else it is never recorded. Random numbers are drawn anew each time.
        """
        if self._recordable and self._runs == _BY_PIECES:
            self._record(work, given)
        self._runs += 1
        if self._graph is None:
            return work(*given)
        for own, tensor in zip(self._given, given, strict=True):
            own.copy_(tensor)
        self._graph.replay()
        return tuple(tensor.clone() for tensor in self._made)  # the next run writes over them

    def _record(self, work: Callable[..., tuple[Tensor, ...]], given: tuple[Tensor, ...]) -> None:
        graph = torch.cuda.CUDAGraph()
        generator = torch.cuda.default_generators[torch.cuda.current_device()]
        before = generator.clone_state()
        self._given = tuple(tensor.clone() for tensor in given)
        try:
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self._made = work(*self._given)
        except RuntimeError:  # a library here cannot be recorded, or there is no memory for it: by pieces, then
            self._given = self._made = ()
            generator.graphsafe_set_state(before)  # else it takes itself for recorded from now on
        else:
            self._graph = graph
