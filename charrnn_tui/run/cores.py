"""What of the machine this process may use."""

import os


def available_cores() -> int:
    """The processor's cores that this process may use; a container or `taskset` may grant it fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
