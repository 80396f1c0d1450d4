"""Looking back: what the model thought at a place in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from charrnn_tui.sampling.settings import PLAIN

if TYPE_CHECKING:
    from charrnn_tui.sampling.distribution import Distribution
    from charrnn_tui.sampling.lstm import CharLSTM, LSTMState
    from charrnn_tui.sampling.settings import SamplingSettings
    from charrnn_tui.text.vocabulary import Ids


@dataclass(frozen=True)
class Inspection:
    """A character of a text under the distribution that predicted it."""

    position: int  # 0-based
    token_id: int
    distribution: Distribution

    @property
    def rank(self) -> int:
        """1: the likeliest."""
        return self.distribution.place_of(self.token_id) + 1

    @property
    def surprise_bits(self) -> float:
        """-log2 of the model's own probability of the character."""
        return self.distribution.surprise_bits_at(self.distribution.place_of(self.token_id))

    @property
    def entropy_bits(self) -> float:
        """The surprise that the model expected."""
        return self.distribution.entropy_bits


def inspect_position(
    model: CharLSTM,
    ids: Ids,
    position: int,
    settings: SamplingSettings = PLAIN,
    *,
    state: LSTMState | None = None,
    state_position: int = 0,
) -> Inspection:
    """Recompute what predicted ids[position], step by step and so to the bit as it was when it was written.

    state: a stored state after ids[:state_position], from which to start instead of the beginning.
    Raises IndexError for a position that nothing before it predicts or that is not in the text.
    """
    if not state_position < position < len(ids):
        raise IndexError(f"position {position} is not between {state_position + 1} and {len(ids) - 1}")
    state = model.initial_state() if state is None else state
    for token_id in ids[state_position : position - 1].tolist():
        state = model.advance(token_id, state)
    logits, _ = model.step(int(ids[position - 1]), state)
    from charrnn_tui.sampling.distribution import Distribution  # NumPy: a finding can be shown without it

    return Inspection(position, int(ids[position]), Distribution(logits, settings))
