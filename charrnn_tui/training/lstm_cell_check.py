"""Run by native/library.py in a process of its own: exits with 0 if the library computes what NumPy computes."""

import ctypes
import sys

import numpy as np

ROWS, N = 5, 37  # no multiple of a vector's width


def main() -> None:
    """An illegal instruction or a wrong number ends this process, not a training."""
    library = ctypes.CDLL(sys.argv[1])
    draw = np.random.default_rng(0)

    def floats(*shape: int) -> np.ndarray:
        return draw.normal(size=shape).astype(np.float32) * 3

    def call(name: str, *arrays: np.ndarray | None, sizes: tuple[int, ...] = (ROWS, N)) -> None:
        pointers = [None if array is None else array.ctypes.data_as(ctypes.c_void_p) for array in arrays]
        getattr(library, name)(ctypes.c_int64(2), *map(ctypes.c_int64, sizes), *pointers)

    recurrent, entered, c_before, rows = (
        floats(ROWS, 4 * N),
        floats(3, 4 * N),
        floats(ROWS, N),
        np.array([2, 0, 1, 1, 0]),
    )
    gates, c, h = np.empty_like(recurrent), np.empty_like(c_before), np.empty_like(c_before)
    call("forward_float32", recurrent, entered, rows, c_before, gates, c, h)
    i, f, g, o = np.split((recurrent + entered[rows]).astype(np.float64), 4, axis=1)
    i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
    expected_c = f * c_before + i * g
    tanh_c = np.tanh(expected_c)
    agree(gates, np.hstack([i, f, g, o]), 1e-6)
    agree(c, expected_c, 1e-5)
    agree(h, o * tanh_c, 1e-6)
    d_output, d_h, d_c = floats(ROWS, N), floats(ROWS, N), floats(ROWS, N)
    dh = (d_output + d_h).astype(np.float64)
    dc = d_c + dh * o * (1 - tanh_c**2)
    expected = [dc * g * i * (1 - i), dc * c_before * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)]
    call("backward_float32", d_output, d_h, gates, c_before, c, d_c)
    agree(gates, np.hstack(expected), 1e-4)
    agree(d_c, dc * f, 1e-4)
    sums = np.zeros((3, N), np.float32)
    call("add_rows_float32", rows, d_output, sums)
    agree(sums, np.stack([d_output[rows == row].sum(0) for row in range(3)]), 1e-5)
    if hasattr(library, "multiply_float32"):
        wide = ctypes.c_int64.in_dll(library, "wide").value
        rows_of_x, n, k = 75, 2 * wide, 700  # tiles of every height, two blocks of rows and of k
        x, weights, bias, product = floats(rows_of_x, k), floats(k, n), floats(n), np.empty((rows_of_x, n), np.float32)
        packed = np.ascontiguousarray(weights.reshape(k, 2, wide).transpose(1, 0, 2))
        expected_product = x.astype(np.float64) @ weights
        call("multiply_float32", x, packed, None, product, sizes=(rows_of_x, n, k))
        agree(product, expected_product, 2e-2)
        call("multiply_float32", x, packed, bias, product, sizes=(rows_of_x, n, k))
        agree(product, expected_product + bias, 2e-2)
    ones, zeros = np.full((ROWS, 4 * N), 0x3F80, np.uint16), np.zeros((ROWS, 4 * N), np.uint16)  # 1.0 and 0.0
    short_gates, short_h = np.empty_like(ones), np.empty((ROWS, N), np.uint16)
    call("forward_bfloat16", ones, zeros, None, c_before, short_gates, c, short_h)
    agree((short_gates[:, :N].astype(np.uint32) << 16).view(np.float32), 1 / (1 + np.exp(-1)), 4e-3)
    call("forward_float32", np.full_like(recurrent, np.nan), entered, rows, c_before, gates, c, h)
    if not np.isnan(h).all():
        sys.exit("a NaN got lost")


def agree(ours: np.ndarray, expected: np.ndarray | float, tolerance: float) -> None:
    """Exit with 1 unless they do."""
    if not np.abs(ours - expected).max() <= tolerance:
        sys.exit("wrong numbers")


if __name__ == "__main__":
    main()
