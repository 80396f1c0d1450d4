"""A function whose GPU work is recorded as a CUDA graph and launched in one piece.

cuDNN launches each time step of each layer by itself. A training step is a thousand such launches, which take several
times as long as the GPU needs for the work.
"""

from collections.abc import Callable

import torch
from torch import Tensor

_WARM_UPS = 3  # calls before the recording, which must not contain what libraries do at their first use


class Graph:
    """Calls a function; on CUDA it is recorded after some calls, and replayed from then on."""

    def __init__(self, device: torch.device) -> None:
        self._recordable, self._runs = device.type == "cuda", 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._given: tuple[Tensor, ...] = ()
        self._made: tuple[Tensor, ...] = ()

    def run(self, work: Callable[..., tuple[Tensor, ...]], *given: Tensor) -> tuple[Tensor, ...]:
        """`work(*given)`. The tensors' shapes, and the addresses of all else that `work` reads, must not change.

        It is recorded only if it does not wait for the GPU. Random numbers are drawn anew each time.
        """
        if self._recordable and self._runs == _WARM_UPS:
            self._record(work, given)
        self._runs += 1
        if self._graph is None:
            return work(*given)
        for own, tensor in zip(self._given, given, strict=True):
            own.copy_(tensor)
        self._graph.replay()
        return tuple(tensor.clone() for tensor in self._made)  # the next replay writes over them

    def _record(self, work: Callable[..., tuple[Tensor, ...]], given: tuple[Tensor, ...]) -> None:
        graph = torch.cuda.CUDAGraph()
        generator = torch.cuda.default_generators[torch.cuda.current_device()]
        before = generator.clone_state()
        self._given = tuple(tensor.clone() for tensor in given)
        try:
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self._made = work(*self._given)
        except RuntimeError:  # a library cannot be recorded, or there is no memory for it: call it as before
            self._given = self._made = ()
            generator.graphsafe_set_state(before)  # else the generator believes that it is being recorded
        else:
            self._graph = graph
