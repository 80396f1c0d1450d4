"""What of the machine this process may use, and who in it does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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


def alone() -> bool:
    """Whether at most one is at work."""
    return len(_at_work) < 2
