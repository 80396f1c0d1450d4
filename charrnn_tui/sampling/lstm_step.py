"""A character, and its choice, as compiled code (lstm_step.c), where a C compiler is found; else NumPy writes it."""

import ctypes
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.native.prepared import Prepared
from charrnn_tui.run.memory import in_large_pages
from charrnn_tui.sampling.settings import SamplingSettings

Floats = NDArray[np.float32]

SOURCE = Path(__file__).with_name("lstm_step.c")
CHECK = Path(__file__).with_name("lstm_step_check.py")
OPTIONS = ("-ffp-contract=off",)  # one rounding an operation, on every processor
WIDTH, CHUNK = 64, 16  # columns of a block, rows that are summed up as integers: as in the source
LINE = 32  # 16-bit numbers in a cache line
MOST_UNITS = 16_384  # of all layers: what is computed of them lies on the stack
MOST_TOKENS = 16_384  # whose choice finds room on the stack
BITS = 14  # of a weight
ZERO = 8_192  # what stands for 0
LARGEST = ZERO - 1  # multiple of a column's scale
ONE = 16_384  # what h is multiplied by, before it meets a matrix as integers


class Rounded:
    """A matrix (rows, columns) whose columns are multiples, from -8,191 to 8,191, of a scale each.

    Less than half as much to read. The probabilities of the next character move by some 4e-5 in total variation.
    """

    def __init__(self, matrix: Floats) -> None:
        largest = np.abs(matrix).max(axis=0)
        self.scale: Floats = np.where(largest > 0, largest, 1).astype(np.float32) / np.float32(LARGEST)  # (columns,)
        multiples = np.rint(matrix / self.scale).astype(np.int16)
        self.matrix: Floats = multiples * self.scale
        self._multiples = multiples

    def packed(self) -> NDArray[np.uint16]:
        """(blocks, rows / CHUNK, 7, WIDTH, 2), flat, in the order in which it is read; filled up with zeros.

        Of a chunk's eight pairs of rows seven stand in words of 16 bits, and of the eighth two bits above each of them.
        """
        rows, columns = self._multiples.shape
        chunks, blocks = self.rows // CHUNK, -(-columns // WIDTH)
        padded = np.full((self.rows, blocks * WIDTH), ZERO, np.uint16)
        padded[:rows, :columns] += self._multiples.astype(np.uint16)
        pairs = padded.reshape(chunks, CHUNK // 2, 2, blocks, WIDTH).transpose(3, 0, 1, 4, 2)
        bits = np.arange(0, BITS, 2, dtype=np.uint16)[::-1, np.newaxis, np.newaxis]
        words: NDArray[np.uint16] = pairs[:, :, :-1] | pairs[:, :, -1:] >> bits << BITS
        return words.ravel()

    @property
    def rows(self) -> int:
        """Up to whole chunks."""
        return -(-len(self._multiples) // CHUNK) * CHUNK


class CompiledStep:
    """The weights of a network as the compiled step reads them."""

    def __init__(
        self,
        entering: Floats,
        recurrent: Sequence[Rounded],
        inputs: Sequence[Rounded],
        biases: Sequence[Floats],
        output: Rounded,
        output_bias: Floats,
    ) -> None:
        """entering: (tokens, 4n). recurrent, of all layers, and inputs, of those above the first: n to 4n.

        biases: of those above the first, (4n,). output: n to tokens. output_bias: (tokens,). Gates as in `lstm`.
        """
        self._tokens, self._layers, self._n = len(entering), len(recurrent), entering.shape[1] // 4
        self._rows = output.rows
        bias = np.concatenate([*biases, np.zeros(0, np.float32)])
        every = [*recurrent, *inputs, output]
        packed = [matrix.packed() for matrix in every]
        room = np.concatenate(packed, out=_lines(sum(map(len, packed))))
        begins = room.ctypes.data + np.cumsum([0, *(numbers.nbytes for numbers in packed)])
        scales = [matrix.scale / np.float32(ONE) for matrix in every]
        matrices = (_Matrix * len(every))(
            *(
                _Matrix(matrix.rows, len(scale), begin, scale.ctypes.data)
                for matrix, scale, begin in zip(every, scales, begins[:-1].tolist(), strict=True)
            )
        )
        self._kept = (entering, scales, bias, output_bias, room, matrices)
        by_layer, each = ctypes.addressof(matrices), ctypes.sizeof(_Matrix)
        by_input, last = by_layer + len(recurrent) * each, by_layer + (len(every) - 1) * each
        self._network = _Network(
            self._layers, self._n, entering.ctypes.data, by_layer, by_input, bias.ctypes.data, last,
            output_bias.ctypes.data,
        )  # fmt: skip
        self._address = ctypes.addressof(self._network)
        weakref.finalize(self, _forget, self._address)
        COMPILED.begin()

    def run(self, token: int, h: Floats, c: Floats, looks: bool) -> tuple[Floats, Floats, Floats] | None:
        """h and c, (layers, n) as given, after one more character, and the logits, of which nothing holds if nobody
        looks. None where there is no library, or none yet.
        """
        library = COMPILED.library
        if library is None:
            return None
        size = self._layers * self._n
        after = np.empty(2 * size + self._tokens, np.float32)
        h, c = np.ascontiguousarray(h, np.float32), np.ascontiguousarray(c, np.float32)
        if not 0 <= token < self._tokens:
            raise IndexError(f"there is no token {token} among {self._tokens}")
        library.step(self._address, token, _address(h), _address(c), _address(after), looks, _threads)
        shape = self._layers, self._n
        return after[:size].reshape(shape), after[size : 2 * size].reshape(shape), after[2 * size :]

    def run_many(self, ids: NDArray[np.integer], h: Floats, c: Floats) -> tuple[Floats, Floats, Floats] | None:
        """`run` for some texts, on this thread: ids (B,), h and c (layers, B, n), logits (B, tokens).

        Each text gets the very numbers that it gets alone.
        """
        library = COMPILED.library
        if library is None:
            return None
        texts, size = len(ids), h.size
        if texts and not 0 <= ids.min() <= ids.max() < self._tokens:
            raise IndexError(f"there are no tokens {ids.min()} to {ids.max()} among {self._tokens}")
        after = np.empty(2 * size + texts * self._tokens, np.float32)
        room = np.empty(texts * (8 * self._n + self._rows * 9 // 16), np.float32)
        tokens = np.ascontiguousarray(ids, np.int64)
        given = tokens, np.ascontiguousarray(h, np.float32), np.ascontiguousarray(c, np.float32)
        library.step_many(self._address, texts, *(array.ctypes.data for array in (*given, after, room)))
        h_after, c_after, logits = np.split(after, [size, 2 * size])
        return h_after.reshape(h.shape), c_after.reshape(h.shape), logits.reshape(texts, self._tokens)


def choose(logits: Floats, settings: SamplingSettings, u: float) -> int | None:
    """The token id that `Distribution(logits, settings).choose(u)` gives, in a tenth of the time.

    None where there is no library, and where the logits, (n_tokens,) float32, are not finite or very many.
    """
    library = COMPILED.library
    if library is None or len(logits) > MOST_TOKENS:
        return None
    token_id: int = library.choose(len(logits), _address(logits), *_controls(settings), u)
    return None if token_id < 0 else token_id


def choose_many(logits: Floats, settings: SamplingSettings, u: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """`choose` for some texts: logits (B, n_tokens), u (B,); None where it is for one of them."""
    library = COMPILED.library
    texts, tokens = logits.shape
    if library is None or tokens > MOST_TOKENS:
        return None
    rows, draws = np.ascontiguousarray(logits, np.float32), np.ascontiguousarray(u, np.float64)
    chosen = np.empty(texts, np.int64)
    library.choose_many(
        texts, tokens, rows.ctypes.data, *_controls(settings), draws.ctypes.data, chosen.ctypes.data
    )  # fmt: skip
    return None if chosen.min(initial=0) < 0 else chosen


def _controls(settings: SamplingSettings) -> tuple[float, int, float, float]:
    """Temperature, top-k, top-p and min-p, as the library takes them."""
    top_k = MOST_TOKENS if settings.top_k is None else min(settings.top_k, MOST_TOKENS)
    return settings.temperature, top_k, 1.0 if settings.top_p is None else settings.top_p, settings.min_p or 0.0


def _lines(size: int) -> NDArray[np.uint16]:
    """Room for so many numbers, from the beginning of a cache line."""
    room = np.frombuffer(in_large_pages(2 * (size + LINE)), np.uint16)
    begin = -room.ctypes.data // room.itemsize % LINE
    return room[begin : begin + size]


def _address(array: Floats) -> int:
    """Of the first number; a third of the time that `array.ctypes` takes."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    except TypeError:  # nobody may write into it
        return array.ctypes.data


class _Matrix(ctypes.Structure):
    _fields_ = [
        ("rows", ctypes.c_int64),
        ("columns", ctypes.c_int64),
        ("weights", ctypes.c_void_p),
        ("scale", ctypes.c_void_p),
    ]


class _Network(ctypes.Structure):
    _fields_ = [
        ("layers", ctypes.c_int64),
        ("n", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("entering", "recurrent", "input", "bias", "output", "output_bias")),
    ]


def _forget(network: int) -> None:
    """Its memory is about to be given back: what helping threads have begun of the next character must be over."""
    if COMPILED.library is not None:
        COMPILED.library.forget(network)


def _declare(library: ctypes.CDLL) -> None:
    size, address, number = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
    functions = {
        "step": ([address, size, *[address] * 3, size, size], None),
        "step_many": ([address, size, *[address] * 5], None),
        "choose": ([size, address, number, size, number, number, number], size),
        "choose_many": ([size, size, address, number, size, number, number, address, address], None),
        "forget": ([address], None),
    }
    for name, (takes, gives) in functions.items():
        function = getattr(library, name)
        function.argtypes, function.restype = takes, gives


COMPILED = Prepared(SOURCE, CHECK, _declare, OPTIONS)
_threads = 1


@contextmanager
def helped(threads: int) -> Iterator[None]:
    """Let so many threads share a step, in the whole process."""
    global _threads
    before, _threads = _threads, threads
    try:
        yield
    finally:
        _threads = before
