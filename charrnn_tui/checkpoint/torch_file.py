"""What torch.save has written, read without torch: the containers of its pickles and of the tensors' numbers."""

import struct
import zipfile
from io import BytesIO
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.checkpoint.unpickling import TOO_LONG, Storage, Tensor, unpickle

LONGEST_PICKLE: Final = 4 << 20  # bytes; an alphabet of 40,000 characters takes 2 MB
MOST_MEMBERS: Final = 10_000  # of a zip archive, one for each tensor
LARGEST_GROWTH: Final = 2  # bytes of all arrays for a byte of the file; bfloat16 is read as float32
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # the first pickles of a file without a zip archive
_DAMAGED = "is not a checkpoint: it is a torch file that is damaged or cut off"


class TorchFile:
    """values: what `unpickle` gives for the file's dictionary or module."""

    def __init__(self, data: bytes) -> None:
        """Read a file's contents, of the zip or the older format. Raises CheckpointError, one line without a path."""
        self._order: Literal["<", ">"] = "<"
        self._storages: dict[str, memoryview] = {}
        self._room = LARGEST_GROWTH * len(data)
        try:
            if data.startswith(b"PK"):
                self._read_zip(data)
            else:
                self._read_legacy(data)
        except CheckpointError:
            raise
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):  # of a damaged pickle
            raise CheckpointError(_DAMAGED) from None
        except (struct.error, zipfile.BadZipFile, NotImplementedError):  # of a damaged archive
            raise CheckpointError(_DAMAGED) from None

    def array(self, tensor: Tensor) -> NDArray[Any]:
        """A tensor's numbers, copied; bfloat16 as float32. Raises CheckpointError if the file lacks some of them."""
        if not tensor.count:
            return np.zeros(0, np.float32)
        storage, narrow = tensor.storage, tensor.storage.dtype == "bfloat16"
        dtype = _numbers(storage.dtype)
        data = self._storages.get(storage.key, memoryview(b""))
        if storage.length * dtype.itemsize > len(data):
            raise CheckpointError(_DAMAGED)
        self.allow(tensor.count * dtype.itemsize * (2 if narrow else 1))
        numbers = np.frombuffer(data, dtype.newbyteorder(self._order), storage.length)[tensor.offset :]
        strides = [stride * dtype.itemsize for stride in tensor.strides]
        view = np.lib.stride_tricks.as_strided(numbers, tensor.shape, strides)
        if not narrow:
            return np.array(view, dtype)
        wide: NDArray[Any] = view.astype(np.uint32)
        wide <<= 16  # bfloat16 is the upper half of a float32
        return wide.view(np.float32)

    def allow(self, array_bytes: int) -> None:
        """Call this before an array is made. Raises CheckpointError if all would be far larger than the file."""
        self._room -= array_bytes
        if self._room < 0:
            raise CheckpointError("is not a checkpoint: its tensors would be far larger than the file")

    def _read_zip(self, data: bytes) -> None:
        if data.count(b"PK\x01\x02") > MOST_MEMBERS:  # one before each entry of the directory
            raise CheckpointError("is not a checkpoint: it is a zip archive of too many files")
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = {info.filename: info for info in archive.infolist()}
        pickles = [name for name in members if name.rpartition("/")[2] == "data.pkl"]
        if not pickles:
            raise CheckpointError("is not a checkpoint: it is a zip archive, but not one of torch's")
        folder = pickles[0].removesuffix("data.pkl")
        if folder + "constants.pkl" in members:
            raise CheckpointError("is not a checkpoint: it is a TorchScript archive: code, not weights alone")
        parts = {name: _member(data, info) for name, info in members.items() if name.startswith(folder)}
        if bytes(parts.get(folder + "byteorder", b"little")) == b"big":
            self._order = ">"
        if len(parts[folder + "data.pkl"]) > LONGEST_PICKLE:
            raise CheckpointError(TOO_LONG)
        self.values = unpickle(BytesIO(parts[folder + "data.pkl"]))
        start = folder + "data/"
        self._storages = {name.removeprefix(start): part for name, part in parts.items() if name.startswith(start)}

    def _read_legacy(self, data: bytes) -> None:
        file, storages = BytesIO(data[:LONGEST_PICKLE]), dict[str, Storage]()
        if unpickle(file) != _MAGIC or unpickle(file) != _PROTOCOL:
            raise CheckpointError("is not a checkpoint: it is not a torch file")
        if not unpickle(file)["little_endian"]:
            self._order = ">"
        self.values = unpickle(file, storages)
        keys, start = unpickle(file), file.tell()
        for key in keys:
            end = start + 8 + storages[key].length * _numbers(storages[key].dtype).itemsize
            self._storages[key] = memoryview(data)[start + 8 : end]  # the first 8 bytes are the length
            start = end


def _numbers(dtype: str) -> np.dtype[Any]:
    """NumPy's type of the numbers as they are in the file."""
    return np.dtype("u2" if dtype == "bfloat16" else dtype)


def _member(data: bytes, info: zipfile.ZipInfo) -> memoryview:
    """The bytes of a file in an archive, not copied."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise CheckpointError(
            "is not a checkpoint: it is a compressed or encrypted archive, which torch.save never writes"
        )
    name_length, extra_length = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + 30 + name_length + extra_length
    if info.header_offset < 0 or start + info.file_size > len(data):
        raise ValueError("a member behind the end of the file")
    return memoryview(data)[start : start + info.file_size]
