"""The elementwise part of an LSTM time step as compiled code; without a C compiler, PyTorch's LSTM trains."""

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
    """The library, or None; the description says whose layers train and which compiler made them, or why not."""

    library: ctypes.CDLL | None
    description: str

    def call(self, function: str, dtype: torch.dtype, rows: int, n: int, *tensors: Tensor | None) -> None:
        """Run a function of lstm_cell.c on contiguous tensors of the types and shapes that it names."""
        name = f"{function}_{str(dtype).removeprefix('torch.')}"
        pointers = [None if tensor is None else ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors]
        sizes = (ctypes.c_int64(torch.get_num_threads()), ctypes.c_int64(rows), ctypes.c_int64(n))
        getattr(self.library, name)(*sizes, *pointers)


@cache
def compiled_cell() -> CompiledCell:
    """Load the library, compiling and checking it first if no earlier process has; once per process."""
    found = load_library(SOURCE, CHECK, ("-fopenmp",))
    whose = "PyTorch's:" if found.library is None else "ours,"
    return CompiledCell(found.library, f"{whose} {found.description}")
