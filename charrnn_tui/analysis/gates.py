"""How often the gates of each layer are open or closed (Karpathy, Johnson & Li 2015, section 4.2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from charrnn_tui.analysis.reading import ReadBlock
from charrnn_tui.sampling.cells import LSTMCell

CLOSED, OPEN = 0.1, 0.9  # a gate below or above is saturated to the left or to the right


@dataclass(frozen=True)
class GateShares:
    """Of a gate in one layer, over all its units and all characters: the shares, from 0 to 1.

    closed: below CLOSED (left-saturated). open: above OPEN (right-saturated). A forget gate that is open keeps what
    the cell holds; one that is closed erases it.
    """

    layer: int
    gate: str
    closed: float
    open: float


def gate_shares(blocks: Iterable[ReadBlock], names: Sequence[str] = LSTMCell.gate_names) -> list[GateShares]:
    """Of all gates, by layer; the blocks must have their gates. Empty where there is no character.

    names: of the cell's gates, its `gate_names`, of which there is one at least.
    """
    closed, opened, characters = None, None, 0
    for block in blocks:
        assert block.gates is not None
        n, layers, units = block.cells.shape
        sigmoids = block.gates[..., : len(names) * units].reshape(n, layers, len(names), units)
        below, above = ((sigmoids < CLOSED).mean(-1).sum(0), (sigmoids > OPEN).mean(-1).sum(0))  # (L, gates)
        closed = below if closed is None else closed + below
        opened = above if opened is None else opened + above
        characters += n
    if closed is None or opened is None:
        return []
    return [
        GateShares(layer + 1, name, float(closed[layer, gate] / characters), float(opened[layer, gate] / characters))
        for layer, gate in np.ndindex(*closed.shape)
        for name in (names[gate],)
    ]
