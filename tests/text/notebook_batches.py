"""The notebook's batches, told in other words: what ours are compared with."""

import numpy as np


def notebook_batches(ids: np.ndarray, n_seqs: int, n_steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cell 8, told one character at a time: target (r, c) of a window is the character after it in row r, and the
    character after a row's last one is the row's first."""
    row_length = len(ids) // (n_seqs * n_steps) * n_steps
    batches = []
    for begin in range(0, row_length, n_steps):
        x, y = np.empty((n_seqs, n_steps), int), np.empty((n_seqs, n_steps), int)
        for row in range(n_seqs):
            for column in range(n_steps):
                place = begin + column
                x[row, column] = ids[row * row_length + place]
                y[row, column] = ids[row * row_length + (place + 1 if place + 1 < row_length else 0)]
        batches.append((x, y))
    return batches
