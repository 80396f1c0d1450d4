"""What of the machine this process may use, and who in it does."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

_numbers = count()
_at_work: set[int] = set()


def available_cores() -> int:
    """The processor's cores that this process may use; a container or `taskset` may grant it fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def at_work() -> Iterator[None]:
    """Somebody computes in here as fast as it goes: a training, a page being written."""
    number = next(_numbers)
    _at_work.add(number)
    try:
        yield
    finally:
        _at_work.discard(number)


def come_last() -> None:
    """Let the system run this thread only where no other one wants the core; where threads have ranks, as on Linux."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def alone() -> bool:
    """Whether at most one is at work."""
    return len(_at_work) < 2
