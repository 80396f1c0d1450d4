"""Bringing the ranks of a training together: rank 0 starts the others on its machine, or torchrun has started all."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
import torch.distributed as dist

from charrnn_tui.native.cores import available_cores
from charrnn_tui.native.thread_waiting import limit_spinning
from charrnn_tui.run.ranks import RanksLost, torchrun
from charrnn_tui.run.settings import SettingsError, TrainSettings
from charrnn_tui.text.batches import batch_count, split_at
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.training.devices import Placement, place
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.ranks import Ranks

_END_SECONDS: Final = 10.0  # for a process to end by itself
_INTERFACE: Final = "GLOO_SOCKET_IFNAME"


def rank_backends() -> list[str]:
    """What the ranks of a training could exchange their gradients through here: gloo on CPUs, NCCL on GPUs."""
    if not dist.is_available():
        return []
    return ["gloo", "NCCL"] if torch.cuda.is_available() and dist.is_nccl_available() else ["gloo"]


@contextmanager
def leading(settings: TrainSettings, corpus: Corpus) -> Iterator[Learner]:
    """The learner of rank 0, with the other ranks at work until the end. Raises SettingsError, RanksLost."""
    if not dist.is_available():
        raise SettingsError("ranks", "this PyTorch was built without torch.distributed; leave the option out")
    launched = torchrun()
    here = launched.local_size if launched else settings.ranks
    placement = _placement(settings, len(corpus.vocabulary), here)
    ranks = Ranks(0, launched.size, launched.local_rank) if launched else _started(settings.ranks)
    try:
        length = split_at(len(corpus), settings.val_frac)
        windows = batch_count(length, settings.batch_size, settings.seq_length)
        told = {"settings": settings.to_json(), "placement": asdict(placement), "tokens": corpus.vocabulary.tokens}
        chars = windows * settings.seq_length * (settings.batch_size // ranks.size)
        ranks.send_json({**told, "chars": chars, "dtype": corpus.ids.dtype.str})
        ranks.use_device(placement.device)
        yield Learner(settings, corpus, placement=placement, ranks=ranks)
    finally:
        ranks.close()


def join_local(rank: int, size: int, path: str) -> Ranks:
    """Rank 1 and up: join the training whose rank 0 has started this process. path: of the file where they meet."""
    limit_spinning(os.environ)
    store = _store(path, size)
    store.set(_ready(rank), "")
    with _on_loopback():
        return Ranks(rank, size, rank, store)


def join_torchrun() -> Ranks:
    """Rank 1 and up: join the training of this process's torchrun."""
    launched = torchrun()
    assert launched is not None
    for number in (signal.SIGINT, signal.SIGTERM):  # no handler in Python runs while this process waits for rank 0
        signal.signal(number, signal.SIG_DFL)
    return Ranks(launched.rank, launched.size, launched.local_rank)


def _placement(settings: TrainSettings, tokens: int, here: int) -> Placement:
    """Of each rank; so many of them share this machine's cores."""
    threads = settings.threads or max(1, available_cores() // here)
    placement = place(replace(settings, threads=threads), tokens)
    if placement.device not in ("cpu", "cuda"):
        raise SettingsError("ranks", f"works on cpu and cuda, not on {placement.device}; choose --device cpu")
    if placement.device == "cuda" and torch.cuda.device_count() < here:
        problem = f"{here} ranks need a GPU each, and this machine has {torch.cuda.device_count()}"
        raise SettingsError("ranks", f"{problem}; choose fewer, or --device cpu")
    if placement.device == "cuda" and not dist.is_nccl_available():
        raise SettingsError("ranks", "this PyTorch has no NCCL, through which GPUs exchange gradients; leave it out")
    # Rank 0 sees whether a step was finite before it commands the next one, so that all can take it back.
    return replace(placement, steps_ahead=0)


class _Processes:
    """The ranks from 1 on, as processes of this machine; they end when rank 0 does."""

    def __init__(self, size: int) -> None:
        self._directory = TemporaryDirectory(prefix="charrnn-ranks-", ignore_cleanup_errors=True)
        self.meeting = Path(self._directory.name) / "meeting"
        command = [sys.executable, "-m", "charrnn_tui.training.follower"]
        limit_spinning(os.environ)
        self._processes = {
            rank: subprocess.Popen(
                [*command, str(rank), str(size), str(self.meeting), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for rank 0, which needs the others to save the training
            )
            for rank in range(1, size)
        }

    def ended(self) -> str:
        for rank, process in self._processes.items():
            code = process.poll()
            if code is not None:
                how = f"killed by {_signal_name(-code)}" if code < 0 else f"exit code {code}"
                return f"rank {rank} has ended ({how})"
        return ""

    def close(self) -> None:
        for process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
            process.kill()
            process.wait()
        self._directory.cleanup()


def _started(size: int) -> Ranks:
    """Rank 0 of new processes. Raises RanksLost for one that ends before it has joined."""
    processes = _Processes(size)
    try:
        store = _store(str(processes.meeting), size)
        while not store.check([_ready(rank) for rank in range(1, size)]):
            if ended := processes.ended():
                raise RanksLost(ended)
            time.sleep(0.02)
        with _on_loopback():
            return Ranks(0, size, 0, store, processes)
    except BaseException:
        processes.close()
        raise


def _store(path: str, size: int) -> Any:
    return dist.FileStore(path, size)  # type: ignore[attr-defined]  # torch declares it nowhere


def _ready(rank: int) -> str:
    return f"ready {rank}"


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


@contextmanager
def _on_loopback() -> Iterator[None]:
    """While inside, connections are made and awaited on this machine only."""
    names = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    loopback = next((name for name in ("lo", "lo0") if name in names), None)
    if loopback is None or _INTERFACE in os.environ:
        yield
        return
    os.environ[_INTERFACE] = loopback
    try:
        yield
    finally:
        del os.environ[_INTERFACE]
