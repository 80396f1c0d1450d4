"""The processor cores of this process."""

import os


def available_cores() -> int:
    """The number of cores that this process may use: a container or `taskset` may grant fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
