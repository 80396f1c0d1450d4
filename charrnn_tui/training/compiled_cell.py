"""The elementwise part of an LSTM step as compiled code, where a C compiler is found; nothing depends on it.

The source is compiled once, for this processor, into the user's cache. A library is used only after a process of its
own has run it and agreed with NumPy: whatever is wrong with compiler, flags or cache ends there, and PyTorch's own LSTM
trains instead.
"""

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs
import torch
from torch import Tensor

SOURCE = Path(__file__).with_name("lstm_cell.c")
SWITCH = "CHARRNN_TUI_COMPILE"  # 0 in the environment: leave the compiler alone
_FLAGS = ("-O3", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math")
_EXTRA = (
    ("-march=native", "-mprefer-vector-width=512", "-fopenmp"),
    ("-march=native", "-fopenmp"),
    ("-march=native",),
    (),
)
_COMPILE_SECONDS, _CHECK_SECONDS = 60, 30


@dataclass(frozen=True)
class CompiledCell:
    """The library, or why there is none; `words` is for people."""

    library: ctypes.CDLL | None
    words: str

    def call(self, function: str, kind: torch.dtype, rows: int, n: int, *tensors: Tensor | None) -> None:
        """Run one of the source's functions on contiguous tensors of the types that it names."""
        name = f"{function}_{str(kind).removeprefix('torch.')}"
        pointers = [None if tensor is None else ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors]
        sizes = (ctypes.c_int64(torch.get_num_threads()), ctypes.c_int64(rows), ctypes.c_int64(n))
        getattr(self.library, name)(*sizes, *pointers)


@cache
def compiled_cell() -> CompiledCell:
    """Compile and check, or take what an earlier process left in the cache; done once a process."""
    if os.environ.get(SWITCH) == "0":
        return CompiledCell(None, f"PyTorch's: ours are off by {SWITCH}=0")
    compiler = shlex.split(os.environ.get("CC", "")) or ["cc"]
    found = shutil.which(compiler[0])
    try:
        path = _cached(found, compiler[1:])
        if path is None:
            return CompiledCell(
                None,
                "PyTorch's: no C compiler found" if found is None else f"PyTorch's: {found} made no library that works",
            )
        return CompiledCell(ctypes.CDLL(str(path)), f"ours, compiled by {found or 'an earlier run'}")
    except (OSError, subprocess.SubprocessError) as error:
        return CompiledCell(None, f"PyTorch's: ours were not compiled: {error}")


def _cached(compiler: str | None, options: list[str]) -> Path | None:
    directory = Path(platformdirs.user_cache_dir("charrnn-tui")) / "compiled"
    path = directory / f"lstm_cell-{_fingerprint()}.so"
    if path.is_file():
        return path
    if compiler is None:
        return None
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        candidate = Path(scratch) / path.name
        for extra in _EXTRA:
            command = [compiler, *options, *_FLAGS, *extra, str(SOURCE), "-o", str(candidate)]
            done = subprocess.run(command, capture_output=True, timeout=_COMPILE_SECONDS, check=False)
            if done.returncode == 0 and _agrees_with_numpy(candidate):
                candidate.replace(path)
                return path
    return None


def _fingerprint() -> str:
    """Of the source and the processor: a cache that machines share must not hand one the other's instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    except OSError:
        processor = [platform.processor()]
    facts = [platform.system(), platform.machine(), str(sys.maxsize), *processor, os.environ.get("CC", "")]
    return hashlib.sha256("\n".join(facts).encode() + SOURCE.read_bytes()).hexdigest()[:16]


def _agrees_with_numpy(library: Path) -> bool:
    command = [sys.executable, str(Path(__file__).with_name("cell_check.py")), str(library)]
    done = subprocess.run(command, capture_output=True, timeout=_CHECK_SECONDS, check=False)
    return done.returncode == 0
