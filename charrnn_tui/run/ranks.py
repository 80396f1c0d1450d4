"""The processes that share one training, the ranks: what torchrun says to each, and that one is lost."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_NEEDED = ("TORCHELASTIC_RUN_ID", "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class RanksLost(RuntimeError):
    """Another rank of the training has ended, or cannot be reached; the message says which, if that is known."""


@dataclass(frozen=True)
class Torchrun:
    """rank: of this process, from 0; size: how many there are. local_rank, local_size: on this machine.
    job: of the torchrun that has started them; the same when it starts them anew.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int
    job: str


def torchrun(environment: Mapping[str, str] = os.environ) -> Torchrun | None:
    """What torchrun says to this process; None where it did not start it, or started no other."""
    if not all(environment.get(name) for name in _NEEDED):
        return None
    try:
        rank, size = int(environment["RANK"]), int(environment["WORLD_SIZE"])
        local_rank, local_size = int(environment.get("LOCAL_RANK", 0)), int(environment.get("LOCAL_WORLD_SIZE", size))
    except ValueError:
        return None
    job = f"{environment['TORCHELASTIC_RUN_ID']} {_parent()} {platform.node()}"
    return Torchrun(rank, size, local_rank, local_size, job) if size > 1 else None


def _parent() -> str:
    """The id of the parent process and, on Linux, when it has started: ids are used again."""
    pid = os.getppid()
    try:
        started = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]  # proc(5): 22nd
    except (OSError, IndexError):
        started = ""
    return f"{pid} {started}"
