"""What torch.save has written, read without torch.

A pickle is a program for a stack machine. The machine here knows the instructions that dictionaries of tensors need,
and calls nothing that a file names: a class or function is looked up in a table of ours, or refused.
"""

import math
import pickletools
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import CheckpointError

LONGEST_PICKLE: Final = 4 << 20  # bytes; an alphabet of 40,000 characters takes 2 MB
MOST_INSTRUCTIONS: Final = 400_000  # an alphabet takes some ten a character; each can take a hundred bytes of memory
MOST_MEMBERS: Final = 10_000  # of a zip archive, one for each tensor
LARGEST_GROWTH: Final = 2  # bytes of all arrays for a byte of the file; bfloat16 is read as float32
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # the first pickles of a file without a zip archive
_DAMAGED = "is not a checkpoint: it is a torch file that is damaged or cut off"
_TOO_LONG = "is not a checkpoint: its pickle is far longer than one of weights and an alphabet"
_STORAGES: Final = {
    "Float": "f4",
    "Double": "f8",
    "Half": "f2",
    "BFloat16": "bfloat16",
    "Long": "i8",
    "Int": "i4",
    "Short": "i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
}


@dataclass(frozen=True)
class Storage:
    """A flat array in the file. dtype: NumPy's code, or bfloat16. length: in numbers."""

    dtype: str
    key: str
    length: int


@dataclass(frozen=True)
class Tensor:
    """A view of a storage; offset and strides in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raise ValueError unless every number of the tensor lies in its storage, and there are no more than there."""
        sizes = (self.offset, *self.shape, *self.strides)
        if not all(type(number) is int and 0 <= number < 1 << 48 for number in sizes):
            raise ValueError("sizes that are no whole numbers")
        if len(self.shape) != len(self.strides) or len(self.shape) > 8:
            raise ValueError("a shape and strides that do not fit")
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if self.count and (last >= self.storage.length or self.count > self.storage.length):
            raise ValueError("a tensor larger than its storage")

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class _Named:
    """A class or function that a pickle names, as a value, such as a type of storage."""

    name: str


@dataclass(eq=False)
class Array:
    """A NumPy array, whose contents a pickle gives after the array itself."""

    contents: NDArray[Any] | None = None


class TorchFile:
    """values: dictionaries, lists, numbers, texts, `Array`, and `Tensor` where torch had one."""

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
            raise CheckpointError(_TOO_LONG)
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


def unpickle(file: IO[bytes], storages: dict[str, Storage] | None = None) -> Any:
    """The value of the next pickle in a file. storages: gets those that are named.

    Raises CheckpointError for a class or instruction that is not in our tables, ValueError, TypeError or LookupError
    for a damaged pickle.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def since_mark() -> list[Any]:
        place = marks.pop()
        if place < 0:
            raise IndexError(place)
        taken = stack[place:]
        del stack[place:]
        return taken

    argument: Any
    for number, (instruction, argument, _) in enumerate(pickletools.genops(file)):
        if number > MOST_INSTRUCTIONS:
            raise CheckpointError(_TOO_LONG)
        match instruction.name:
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop()
            case "MARK":
                marks.append(len(stack))
            case name if name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            case name if name in _LITERALS:
                stack.append(argument)
            case name if name in _CONTAINERS:
                stack.append(_CONTAINERS[name]())
            case "TUPLE1" | "TUPLE2" | "TUPLE3" as name:
                marks.append(len(stack) - int(name[-1]))
                stack.append(tuple(since_mark()))
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "APPEND":
                stack[-2].append(stack.pop())
            case "APPENDS":
                values = since_mark()
                stack[-1].extend(values)
            case "SETITEM":
                marks.append(len(stack) - 2)
                _set_items(since_mark(), stack)
            case "SETITEMS":
                _set_items(since_mark(), stack)
            case "ADDITEMS":
                values = since_mark()
                stack[-1].update(map(_key, values))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(_named(argument))
            case "STACK_GLOBAL":
                name = stack.pop()
                stack.append(_named(f"{stack.pop()} {name}"))
            case "BINPERSID":
                storage = _storage(*stack.pop())
                if storages is not None:
                    storages[storage.key] = storage
                stack.append(storage)
            case "REDUCE":
                arguments = stack.pop()
                stack.append(_FUNCTIONS[stack.pop().name](*arguments))
            case "BUILD":
                state = stack.pop()
                if isinstance(stack[-1], Array):
                    stack[-1].contents = _contents(*state)
                elif isinstance(stack[-1], np.dtype) and state[1] == ">":
                    raise CheckpointError("holds a NumPy array of a computer with another order of bytes")
            case name:
                raise CheckpointError(f"holds more than weights and plain values (the pickle instruction {name})")
    raise ValueError("no end")


_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_CONTAINERS: Final[Mapping[str, Callable[[], Any]]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
}
_LITERALS: Final = {
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINSTRING"),
    *("SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES"),
}


def _named(argument: Any) -> _Named:
    """A class or function that a pickle names, as `module name`."""
    name = str(argument).replace(" ", ".").replace("__builtin__.", "builtins.").replace("numpy.core.", "numpy._core.")
    if name not in _FUNCTIONS and name not in _VALUES and _storage_type(name) is None:
        raise CheckpointError(
            f"holds more than weights and plain values ({name}), and loading that could run code; whoever has that "
            "class can save its state_dict() and the tokens alone: torch.save({'state_dict': …, 'tokens': …}, path)"
        )
    return _Named(name)


def _storage_type(name: str) -> str | None:
    """NumPy's code of a type of storage, such as torch.FloatStorage and torch.cuda.FloatStorage."""
    module, _, kind = name.rpartition(".")
    return _STORAGES.get(kind.removesuffix("Storage")) if module in ("torch", "torch.cuda") else None


def _storage(tag: str, kind: _Named, key: str, location: str, length: int, view: None = None) -> Storage:
    dtype = _storage_type(kind.name)
    if tag != "storage" or dtype is None or not isinstance(key, str) or type(length) is not int or view is not None:
        raise ValueError(tag)
    return Storage(dtype, key, length)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> Tensor:
    if not isinstance(storage, Storage):
        raise TypeError(storage)
    if len(rest) == 3 and rest[2]:  # after requires_grad and hooks: such as {'neg': True}
        raise CheckpointError("holds a tensor that is stored as the negative or the conjugate of its numbers")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def _dtype(code: str, *rest: Any) -> np.dtype[Any]:
    if not re.fullmatch(r"[biuf][1248]|U[1-9]\d{0,3}", code):
        raise CheckpointError(f"holds more than weights and plain values (NumPy's type {code!r:.20})")
    return np.dtype(code)


def _contents(version: int, shape: Any, dtype: Any, columns_first: bool, data: bytes) -> NDArray[Any]:
    """Of a NumPy array, as its pickle gives them."""
    if not isinstance(dtype, np.dtype):
        raise TypeError(dtype)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if columns_first else "C")


def _scalar(dtype: Any, data: bytes) -> Any:
    if not isinstance(dtype, np.dtype):
        raise TypeError(dtype)
    return np.frombuffer(data, dtype, 1)[0].item()


def _dictionary(pairs: Any = ()) -> dict[Any, Any]:
    return {_key(key): value for key, value in pairs}


def _set_items(values: list[Any], stack: list[Any]) -> None:
    """The last of a stack is a dictionary, which gets the keys and values."""
    if not isinstance(stack[-1], dict):
        raise TypeError(stack[-1])
    stack[-1].update(zip(map(_key, values[::2]), values[1::2], strict=True))


def _key(value: Any) -> Any:
    """A key of a dictionary; a tuple within a tuple, and so on, would take the processor's stack to hash."""
    if not isinstance(value, str | int | float | None):
        raise TypeError(value)
    return value


_VALUES: Final = {
    *("builtins.int", "builtins.long", "builtins.float", "builtins.str", "builtins.unicode"),
    *("builtins.list", "builtins.dict"),
    *("torch.float16", "torch.bfloat16", "torch.float32", "torch.float64", "torch.int64", "numpy.ndarray"),
}
_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda tensor, *rest: tensor,
    "torch._utils._rebuild_parameter_with_state": lambda tensor, *rest: tensor,
    "torch.Size": lambda sizes: tuple(sizes),
    "torch.device": lambda *place: place,
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": lambda *factory: {},
    "builtins.set": lambda values: set(map(_key, values)),
    "numpy._core.multiarray._reconstruct": lambda *empty: Array(),
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.dtype": _dtype,
    "_codecs.encode": lambda text, encoding: text.encode("latin1"),
}
