"""The elementwise part of an LSTM step as compiled code; without a C compiler PyTorch's own LSTM trains instead."""

import ctypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from charrnn_tui.native.library import load_library

SOURCE = Path(__file__).with_name("lstm_cell.c")
CHECK = Path(__file__).with_name("lstm_cell_check.py")


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
    found = load_library(SOURCE, CHECK, ("-fopenmp",))
    whose = "PyTorch's:" if found.library is None else "ours,"
    return CompiledCell(found.library, f"{whose} {found.description}")
