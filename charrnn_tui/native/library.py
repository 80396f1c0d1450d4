"""Our C sources as libraries that an earlier process has compiled and checked; nothing depends on one."""

import ctypes
import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

SWITCH = "CHARRNN_TUI_COMPILE"  # 0 in the environment: leave the compiler alone


@dataclass(frozen=True)
class Library:
    """A library, or why there is none; `words` is for people."""

    library: ctypes.CDLL | None
    words: str


def cached(source: Path) -> Library | None:
    """What lies in the user's cache for a source; None where there is nothing, or where it is not wanted."""
    if os.environ.get(SWITCH) == "0":
        return None
    try:
        path = path_of(source)
        return Library(ctypes.CDLL(str(path)), "compiled by an earlier run") if path.is_file() else None
    except OSError:
        return None


def path_of(source: Path) -> Path:
    """Where its library lies, or will lie."""
    import platformdirs  # not for who only reads a small network

    return Path(platformdirs.user_cache_dir("charrnn-tui")) / "compiled" / f"{source.stem}-{_fingerprint(source)}.so"


def _fingerprint(source: Path) -> str:
    """Of the source and the processor: a cache that machines share must not hand one the other's instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    except OSError:
        processor = [platform.processor()]
    facts = [platform.system(), platform.machine(), str(sys.maxsize), *processor, os.environ.get("CC", "")]
    return hashlib.sha256("\n".join(facts).encode() + source.read_bytes()).hexdigest()[:16]
