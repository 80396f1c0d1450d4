"""A long text read by a model, with what happens inside it: in blocks, several pieces of the text side by side."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.cells import Floats
from charrnn_tui.sampling.char_model import CHUNK_ROWS, CharModel, Seen
from charrnn_tui.text.vocabulary import Ids

ROWS = 64  # pieces of the text
WARM_UP = 200  # characters at the beginning of a piece, before which the state is zero, that are not reported
LEAST_PIECE = 1000  # characters: a shorter text is cut into fewer pieces


@dataclass(frozen=True, eq=False)
class ReadBlock:
    """places: of the characters in the text, (N,). cells: c behind each, (N, L, H). gates: (N, L, W·H), see cells.py.

    read: characters of the text that are done, for a progress bar.
    """

    places: NDArray[np.int64]
    cells: Floats
    gates: Floats | None
    read: int


def read_blocks(model: CharModel, ids: Ids, *, gates: bool = False) -> Iterator[ReadBlock]:
    """Every character but those of each piece's warm-up, in blocks of some 2,000; the first piece has no warm-up.

    ids: (T,). A piece that is not the first begins WARM_UP characters early, so that all characters are reported once.
    Of a block, the places of a piece stand together, in their order. Memory: 30 MB at 2 × 512 units, 60 MB with gates.
    """
    rows = max(1, min(ROWS, len(ids) // LEAST_PIECE))
    starts = np.linspace(0, len(ids), rows + 1).astype(np.int64)
    begins, ends = np.maximum(starts[:-1] - WARM_UP, 0), starts[1:]
    state, width = model.initial_state(rows), model.n_hidden
    length = int((ends - begins).max(initial=0))
    times = max(1, CHUNK_ROWS // rows)
    for t in range(0, length, times):
        size = min(times, length - t)
        places = begins + np.arange(t, t + size)[:, np.newaxis]  # (t, rows)
        chunk = np.asarray(ids[np.minimum(places, len(ids) - 1)])
        cells = np.empty((size, rows, model.n_layers, width), np.float32)
        values = np.empty((size, rows, model.n_layers, model.cell.width * width), np.float32) if gates else None
        state = model.read(chunk, state, Seen(cells, values))
        counted = ((places >= starts[:-1]) & (places < ends)).T  # (rows, t)
        shown = None if values is None else values.swapaxes(0, 1)[counted]
        yield ReadBlock(places.T[counted], cells.swapaxes(0, 1)[counted], shown, min(len(ids), (t + size) * rows))
