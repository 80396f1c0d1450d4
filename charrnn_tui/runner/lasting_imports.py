"""Importing large packages without Python's garbage collector, which would search their objects in vain."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def imports_for_good() -> Iterator[None]:
    """Modules imported here are never searched for garbage: while torch is there, a search holds up keys for 0.2 s."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
