"""Pickles read without running anything that they name.

A pickle is a program for a stack machine. The machine here knows the instructions that dictionaries of tensors and
whole modules need, and calls nothing that a file names: a function is looked up in a table of ours, or refused, and an
object of any class becomes a `Record`, which holds what the file says of it and does nothing.
"""

import math
import pickletools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import CheckpointError

MOST_INSTRUCTIONS: Final = 400_000  # an alphabet takes some ten a character; each can take a hundred bytes of memory
TOO_LONG: Final = "is not a checkpoint: its pickle is far longer than one of weights and an alphabet"
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


@dataclass(eq=False, slots=True)
class Record:
    """An object of a class that is not called. state: its attributes; items: its own, where it is a dictionary."""

    kind: str
    state: dict[str, Any] = field(default_factory=dict)
    items: dict[Any, Any] = field(default_factory=dict)


def unpickle(file: IO[bytes], storages: dict[str, Storage] | None = None) -> Any:
    """The value of the next pickle in a file. storages: gets those that are named.

    Dictionaries, lists, numbers and texts come as they are, NumPy's arrays as `Array`, torch's tensors as `Tensor`, and
    objects as `Record`. Raises CheckpointError for a call or an instruction that is not in our tables, ValueError,
    TypeError or LookupError for a damaged pickle.
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
            raise CheckpointError(TOO_LONG)
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
                stack.append(_stored(stack.pop(), storages))
            case "REDUCE":
                arguments = stack.pop()
                stack.append(_called(stack.pop(), arguments))
            case "NEWOBJ":
                stack.pop()  # the arguments of __new__
                stack.append(_record(stack.pop()))
            case "BUILD":
                state = stack.pop()
                if isinstance(stack[-1], Record):
                    stack[-1].state.update(_attributes(state))
                elif isinstance(stack[-1], Array):
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
    return _Named(name)


def _called(function: _Named, arguments: Any) -> Any:
    """The value of a function that a pickle calls."""
    known = _FUNCTIONS.get(function.name)
    if known is None:
        raise CheckpointError(
            f"holds more than weights and plain values ({function.name}), and loading that could run code; whoever has "
            "that can save the state_dict() and the tokens alone: torch.save({'state_dict': …, 'tokens': …}, path)"
        )
    return known(*arguments)


def _record(kind: Any, *rest: Any) -> Record:
    """rest: of copyreg's function, the class and the value that the object begins as."""
    return Record(kind.name)


def _attributes(state: Any) -> dict[str, Any]:
    """Of an object, from what it is built of: a dictionary, or a pair of one and of a dictionary of its slots."""
    parts = state if isinstance(state, tuple) else (state,)
    return {name: value for part in parts if isinstance(part, dict) for name, value in part.items()}


def _stored(saved: Any, storages: dict[str, Storage] | None) -> Any:
    """What the file keeps outside of the pickle: a storage, or the class of a module together with its source code."""
    tag, *_ = saved
    if tag == "module":
        return saved[1]
    storage = _storage(*saved)
    if storages is not None:
        storages[storage.key] = storage
    return storage


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
    """The last of a stack is a dictionary, or an object that is one, which gets the keys and values."""
    target = stack[-1].items if isinstance(stack[-1], Record) else stack[-1]
    if not isinstance(target, dict):
        raise TypeError(target)
    target.update(zip(map(_key, values[::2]), values[1::2], strict=True))


def _key(value: Any) -> Any:
    """A key of a dictionary; a tuple within a tuple, and so on, would take the processor's stack to hash."""
    if not isinstance(value, str | int | float | None):
        raise TypeError(value)
    return value


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda tensor, *rest: tensor,
    "torch._utils._rebuild_parameter_with_state": lambda tensor, *rest: tensor,
    "torch.Size": lambda sizes: tuple(sizes),
    "torch.device": lambda *place: place,
    "collections.OrderedDict": _dictionary,
    "collections.Counter": lambda counts: dict(counts) if isinstance(counts, dict) else {},
    "copyreg._reconstructor": _record,
    "copy_reg._reconstructor": _record,
    "torch.nn.backends.thnn._get_thnn_function_backend": lambda: None,  # in modules from before 2019
    "collections.defaultdict": lambda *factory: {},
    "builtins.set": lambda values: set(map(_key, values)),
    "numpy._core.multiarray._reconstruct": lambda *empty: Array(),
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.dtype": _dtype,
    "_codecs.encode": lambda text, encoding: text.encode("latin1"),
}
