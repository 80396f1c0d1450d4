"""One character of each text, and the choice of the next one, as compiled code (lstm_step.c).

Where the library is missing or still being compiled, every function here returns None and NumPy computes instead
(char_model.py, distribution.py).
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.native.library import BackgroundLibrary
from charrnn_tui.sampling.settings import SamplingSettings

Floats = NDArray[np.float32]

SOURCE = Path(__file__).with_name("lstm_step.c")
CHECK = Path(__file__).with_name("lstm_step_check.py")
OPTIONS = ("-ffp-contract=off",)  # one rounding per operation, on every processor
WIDTH, CHUNK = 64, 16  # columns of a block, rows that are added up as integers: as in the source
LINE = 32  # 16-bit numbers in a cache line
MOST_TOKENS = 16_384  # `choose` has its arrays on the stack
BITS = 14  # of a weight
ZERO = 8_192  # what stands for 0
LARGEST = ZERO - 1  # multiple of a column's scale
ONE = 16_384  # h is quantized to multiples of 1 / ONE


class QuantizedMatrix:
    """A matrix W as W ≈ multiples · scale: integers from -8,191 to 8,191 and a float32 scale for each column.

    A step has less than half as much to read. The probabilities of the next character move by some 4e-5 in total
    variation (the model that ships).
    """

    def __init__(self, matrix: Floats) -> None:
        """matrix: (rows, columns)."""
        largest = np.abs(matrix).max(axis=0)  # (columns)
        self.scale: Floats = np.where(largest > 0, largest, 1).astype(np.float32) / np.float32(LARGEST)  # (columns)
        self.multiples = np.rint(matrix / self.scale).astype(np.int16)  # (rows, columns)
        self.matrix: Floats = self.multiples * self.scale  # (rows, columns), what NumPy multiplies with
        self.padded_rows = -(-len(matrix) // CHUNK) * CHUNK

    def packed(self) -> NDArray[np.uint16]:
        """(blocks, rows / CHUNK, 7, WIDTH, 2), flat, in the order in which it is read; filled up with zeros.

        Of a chunk's eight pairs of rows seven stand in words of 16 bits, and of the eighth two bits above each of them.
        """
        rows, columns = self.multiples.shape
        chunks, blocks = self.padded_rows // CHUNK, -(-columns // WIDTH)
        padded = np.full((self.padded_rows, blocks * WIDTH), ZERO, np.uint16)
        padded[:rows, :columns] += self.multiples.astype(np.uint16)
        pairs = padded.reshape(chunks, CHUNK // 2, 2, blocks, WIDTH).transpose(3, 0, 1, 4, 2)
        bits = np.arange(0, BITS, 2, dtype=np.uint16)[::-1, np.newaxis, np.newaxis]
        words: NDArray[np.uint16] = pairs[:, :, :-1] | pairs[:, :, -1:] >> bits << BITS
        return words.ravel()


class CompiledStep:
    """The weights of a network as lstm_step.c reads them; H hidden units, V tokens, L layers."""

    def __init__(
        self,
        token_gates: Floats,
        recurrent: Sequence[QuantizedMatrix],
        inputs: Sequence[QuantizedMatrix],
        biases: Sequence[Floats],
        output: QuantizedMatrix,
        output_bias: Floats,
    ) -> None:
        """token_gates: (V, 4H), input and bias of the first layer. recurrent: L of (H, 4H). output: (H, V).

        inputs, biases: of the L - 1 layers above the first, (H, 4H) and (4H). Gates as in char_model.py.
        """
        self._tokens, self._n = len(token_gates), token_gates.shape[1] // 4
        self._scratch_per_text = 8 * self._n + (output.padded_rows + output.padded_rows // CHUNK * 2) // 2
        matrices = [*recurrent, *inputs, output]
        packed = [matrix.packed() for matrix in matrices]
        words = np.concatenate(packed, out=_at_cache_line(sum(map(len, packed))))
        begins = words.ctypes.data + np.cumsum([0, *(part.nbytes for part in packed)])
        scales = [matrix.scale / np.float32(ONE) for matrix in matrices]
        structures = (_Matrix * len(matrices))(
            *(
                _Matrix(matrix.padded_rows, len(scale), begin, scale.ctypes.data)
                for matrix, scale, begin in zip(matrices, scales, begins[:-1].tolist(), strict=True)
            )
        )
        bias = np.concatenate([*biases, np.zeros(0, np.float32)])
        self._referenced = token_gates, scales, bias, output_bias, words, structures  # by address, so kept alive here
        first_input, last = (
            ctypes.addressof(structures) + number * ctypes.sizeof(_Matrix)
            for number in (len(recurrent), len(matrices) - 1)
        )
        self._network = _Network(
            len(recurrent), self._n, self._tokens, token_gates.ctypes.data, ctypes.addressof(structures), first_input,
            bias.ctypes.data, last, output_bias.ctypes.data,
        )  # fmt: skip
        self._address = ctypes.addressof(self._network)
        COMPILED.begin()

    def run(
        self, ids: int | NDArray[np.integer], h: Floats, c: Floats, *, with_logits: bool = True
    ) -> tuple[Floats, Floats, Floats] | None:
        """One character of one text (ids: an int; h, c: (L, H)) or of B texts, (B) and (L, B, H), on this thread.

        Returns h and c after it and the logits, (V) or (B, V), which without `with_logits` hold nothing. A text among
        others gets the very numbers that it gets alone. Raises IndexError for an unknown id.
        """
        library = COMPILED.library
        if library is None:
            return None
        tokens = np.array(ids, np.int64, ndmin=1)
        texts, size = len(tokens), h.size
        after = np.empty(2 * size + texts * self._tokens, np.float32)
        scratch = np.empty(texts * self._scratch_per_text, np.float32)
        arrays = tokens, np.ascontiguousarray(h, np.float32), np.ascontiguousarray(c, np.float32), after, scratch
        if not library.step(self._address, texts, *(_address(array) for array in arrays), with_logits):
            raise IndexError(f"there is no token {ids} among {self._tokens}")
        h_after, c_after, logits = after[:size], after[size : 2 * size], after[2 * size :]
        return h_after.reshape(h.shape), c_after.reshape(h.shape), logits.reshape(*h.shape[1:-1], self._tokens)


def choose(logits: Floats, settings: SamplingSettings, u: float) -> int | None:
    """The token id that `Distribution(logits, settings).choose(u)` gives, in a tenth of the time. logits: (V).

    None also where the logits are not finite, or more than MOST_TOKENS.
    """
    library = COMPILED.library
    if library is None or len(logits) > MOST_TOKENS:
        return None
    token_id: int = library.choose(len(logits), _address(logits), *_controls(settings), u)
    return None if token_id < 0 else token_id


def choose_many(logits: Floats, settings: SamplingSettings, u: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """`choose` for B texts: logits (B, V), u (B); None where it is for one of them."""
    library = COMPILED.library
    texts, tokens = logits.shape
    if library is None or tokens > MOST_TOKENS:
        return None
    rows, draws, chosen = np.ascontiguousarray(logits), np.ascontiguousarray(u), np.empty(texts, np.int64)
    library.choose_many(texts, tokens, _address(rows), *_controls(settings), _address(draws), _address(chosen))
    return None if chosen.min(initial=0) < 0 else chosen


def _controls(settings: SamplingSettings) -> tuple[float, int, float, float]:
    """Temperature, top-k, top-p and min-p; the latter three at a value that keeps every token where they are off."""
    top_k = MOST_TOKENS if settings.top_k is None else min(settings.top_k, MOST_TOKENS)
    return settings.temperature, top_k, 1.0 if settings.top_p is None else settings.top_p, settings.min_p or 0.0


def _at_cache_line(size: int) -> NDArray[np.uint16]:
    """Memory for so many numbers, from the beginning of a cache line on: vectors are read whole."""
    memory = np.empty(size + LINE, np.uint16)
    begin = -memory.ctypes.data // memory.itemsize % LINE
    return memory[begin : begin + size]


def _address(array: NDArray[Any]) -> int:
    """Of the first number; a third of the time that `array.ctypes` takes."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    except (TypeError, ValueError):  # read-only, or empty
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
        *((name, ctypes.c_int64) for name in ("layers", "n", "tokens")),
        *((name, ctypes.c_void_p) for name in ("token_gates", "recurrent", "input", "bias", "output", "output_bias")),
    ]


def _declare(library: ctypes.CDLL) -> None:
    size, address, number = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
    library.step.argtypes = [address, size, address, address, address, address, address, size]
    library.choose.argtypes = [size, address, number, size, number, number, number]
    library.choose_many.argtypes = [size, size, address, number, size, number, number, address, address]
    library.step.restype, library.choose.restype, library.choose_many.restype = size, size, None


COMPILED = BackgroundLibrary(SOURCE, CHECK, _declare, OPTIONS)
