"""Memory in large pages, where the system has them."""

import contextlib
import mmap

_LARGE_PAGE = 1 << 21  # bytes


def in_large_pages(size: int) -> mmap.mmap | bytearray:
    """At least `size` bytes, all 0, to be written into.

    In small pages the system takes as long to hand out a large array as we to fill it, and what is read again and again
    does not stay in the processor's own cache.
    """
    if size < _LARGE_PAGE // 2 or not hasattr(mmap, "MADV_HUGEPAGE"):
        return bytearray(size)
    whole = -(-size // _LARGE_PAGE) * _LARGE_PAGE  # only then does it put them where large pages may stand
    memory = mmap.mmap(-1, whole, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a system without them
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory
