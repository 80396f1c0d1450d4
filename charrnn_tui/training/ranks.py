"""One training in several processes, the ranks: each reads its rows of every batch, and gradients are averaged.

Rank 0 is the trainer as ever, and commands the others (`follower.py`). Gradients are averaged by one all-reduce of a
flat vector, not by DistributedDataParallel: that loads PyTorch's compiler, 1.4 s and 90 MB in each rank, and could not
overlap anything with a backward pass that gives all gradients of the LSTM at its end, nor be part of a CUDA graph that
is recorded after three calls; on two CPU ranks a step took as long.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Literal, Protocol, get_args

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from charrnn_tui.run.ranks import RanksLost
from charrnn_tui.text.batches import batch_count
from charrnn_tui.text.long_text import chunks
from charrnn_tui.text.vocabulary import Ids
from charrnn_tui.training.model import Hidden

# step: a training step. undo: the last step was not finite; back to the hidden state before it. share: take on the
# weights, the optimizer's state and the hidden state of rank 0. gather: give the hidden state to rank 0.
Command = Literal["step", "undo", "share", "gather", "end"]

_COMMANDS: tuple[Command, ...] = get_args(Command)
_COMMAND_TIMEOUT = timedelta(days=365)  # a pause may last; a process that ends is noticed by its closed connection
_STEP_TIMEOUT = timedelta(minutes=10)
_EXIT_SECONDS = 2.0  # for a process whose connection is closed to have ended


class Processes(Protocol):
    """The other ranks as processes, as far as this one has started them."""

    def ended(self) -> str:
        """Which has ended, and how, as a clause; empty if none."""

    def close(self) -> None:
        """Wait for all of them to end."""


class Ranks:
    """One rank's connections to the others; all ranks must call the same methods in the same order."""

    def __init__(
        self,
        rank: int,
        size: int,
        local_rank: int,
        store: Any = None,
        processes: Processes | None = None,
    ) -> None:
        """Connect all ranks; returns once each is there. local_rank: the number of its GPU.

        store: a torch.distributed.Store where they meet; None: as torchrun says. Raises RanksLost.
        """
        self.rank, self.size, self._local_rank, self._processes = rank, size, local_rank, processes
        self.torn = False  # whether this rank is within a step, or has lost another one
        self._gradients: Any = None
        where: dict[str, Any] = {"init_method": "env://"} if store is None else {"store": store}
        with self._talking():
            dist.init_process_group("gloo", rank=rank, world_size=size, timeout=_COMMAND_TIMEOUT, **where)

    def use_device(self, device: str) -> None:
        """Exchange gradients on this device: on GPUs, one for each rank, through NCCL."""
        if device == "cuda":
            torch.cuda.set_device(self._local_rank)
        with self._talking():
            self._gradients = dist.new_group(timeout=_STEP_TIMEOUT, backend="nccl" if device == "cuda" else "gloo")

    @contextmanager
    def _talking(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # its text names addresses and source lines of gloo
            self.torn = True
            raise RanksLost(self._reason()) from error

    def _reason(self) -> str:
        until = time.monotonic() + _EXIT_SECONDS
        while self._processes is not None and time.monotonic() < until:
            if ended := self._processes.ended():
                return ended
            time.sleep(0.02)
        return "another rank has ended, or cannot be reached"

    def send(self, command: Command, step: int = 0, lr: float = 0.0) -> None:
        """Rank 0: tell the others what comes next; step and lr are those of a step. Raises RanksLost."""
        if self.torn:
            raise RanksLost(self._reason())
        with self._talking():
            dist.broadcast(torch.tensor([_COMMANDS.index(command), step, lr], dtype=torch.float64), 0)
        self.torn = command == "step"

    def receive(self) -> tuple[Command, int, float]:
        """The others: the next command, step and lr. Raises RanksLost."""
        told = torch.zeros(3, dtype=torch.float64)
        with self._talking():
            dist.broadcast(told, 0)
        command, step, lr = told.tolist()
        return _COMMANDS[int(command)], int(step), lr

    def seed(self, seed: int, step: int) -> None:
        """The others: draw from a stream of this rank and step, so that nothing of it needs to be saved."""
        if self.rank:
            number = np.random.SeedSequence((seed, self.rank, step)).generate_state(1, np.uint64)[0]
            torch.manual_seed(int(number) >> 1)

    def average(self, values: Tensor) -> None:
        """Replace the values by their mean over all ranks, bit for bit the same in each."""
        with self._talking():
            dist.all_reduce(values, group=self._gradients)
        self.torn = False
        values /= self.size

    def share(self, tensors: Sequence[Tensor]) -> None:
        """Copy rank 0's values into the tensors of the others."""
        for tensor in tensors:
            there = tensor.detach().cpu().contiguous()
            with self._talking():
                dist.broadcast(there, 0)
            if self.rank:
                tensor.detach().copy_(there)

    def own_rows(self, hidden: Hidden) -> Hidden:
        """This rank's rows of the state (layers, batch, n) of a whole batch."""
        rows = hidden[0].shape[1] // self.size
        h, c = (state[:, self.rank * rows : (self.rank + 1) * rows].contiguous() for state in hidden)
        return h, c

    def all_rows(self, hidden: Hidden) -> Hidden:
        """Rank 0: the state of the whole batch, (layers, batch, n), on its device; the others: what they gave."""
        own = torch.stack(hidden).cpu()  # (2, layers, rows, n)
        parts = [torch.empty_like(own) for _ in range(self.size)] if self.rank == 0 else None
        with self._talking():
            dist.gather(own, parts, 0)
        if parts is None:
            return hidden
        h, c = torch.cat(parts, 2).to(hidden[0].device)
        return h, c

    def send_text(self, ids: Ids, batch_size: int, seq_length: int) -> Ids:
        """Rank 0: give each of the others its rows of the text, as they are in batches; returns its own."""
        rows = batch_count(len(ids), batch_size, seq_length) * seq_length * (batch_size // self.size)
        for rank in range(1, self.size):
            for chunk in chunks(ids[rank * rows : (rank + 1) * rows]):
                with self._talking():
                    dist.send(torch.from_numpy(chunk.copy().view(np.uint8)), rank)
        return ids[:rows]

    def receive_text(self, length: int, dtype: np.dtype[Any]) -> Ids:
        """The others: their rows, one after the other; shape (length,)."""
        ids = np.empty(length, dtype)
        for chunk in chunks(ids):  # views of `ids`
            with self._talking():
                dist.recv(torch.from_numpy(chunk.view(np.uint8)), 0)
        return ids

    def send_json(self, values: dict[str, Any]) -> None:
        """Rank 0: give the others a JSON object."""
        data = torch.frombuffer(bytearray(json.dumps(values).encode()), dtype=torch.uint8)
        self.share([torch.tensor([len(data)]), data])

    def receive_json(self) -> dict[str, Any]:
        """The others: that object."""
        length = torch.zeros(1, dtype=torch.int64)
        self.share([length])
        data = torch.zeros(int(length), dtype=torch.uint8)
        self.share([data])
        values: dict[str, Any] = json.loads(bytes(data.tolist()))
        return values

    def close(self) -> None:
        """Let the others end, if they still listen, and disconnect."""
        if self.rank == 0 and not self.torn:
            with suppress(RanksLost):
                self.send("end")
        self._gradients = None
        if dist.is_initialized():
            dist.destroy_process_group()
        if self._processes is not None:
            self._processes.close()
