"""What an LSTM layer does at each time step, as compiled code; without a C compiler, PyTorch's LSTM trains."""

import ctypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

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

    @property
    def wide(self) -> int:
        """How many columns its matrix product computes at a time, in float32; 0 if it has none for this processor."""
        if not hasattr(self.library, "multiply_float32"):
            return 0
        return ctypes.c_int64.in_dll(cast(ctypes.CDLL, self.library), "wide").value

    def call(self, function: str, dtype: torch.dtype, *arguments: int | Tensor | None) -> None:
        """Run a function of lstm_cell.c on its sizes and on contiguous tensors of the types and shapes it names."""
        name = f"{function}_{str(dtype).removeprefix('torch.')}"
        given = [
            ctypes.c_int64(argument)
            if isinstance(argument, int)
            else argument
            if argument is None
            else ctypes.c_void_p(argument.data_ptr())
            for argument in arguments
        ]
        getattr(self.library, name)(ctypes.c_int64(torch.get_num_threads()), *given)


@cache
def compiled_cell() -> CompiledCell:
    """Load the library, compiling and checking it first if no earlier process has; once per process."""
    found = load_library(SOURCE, CHECK, ("-fopenmp",))
    whose = "PyTorch's:" if found.library is None else "ours,"
    return CompiledCell(found.library, f"{whose} {found.description}")
