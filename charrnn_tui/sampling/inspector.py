"""Until its last caller uses `Distribution.statistics`."""

from dataclasses import dataclass

from charrnn_tui.sampling.distribution import Distribution


@dataclass(frozen=True)
class Inspection:
    """A character of a text under the distribution that predicted it."""

    position: int
    token_id: int
    distribution: Distribution

    @property
    def rank(self) -> int:
        """1: the likeliest."""
        return self.distribution.statistics(self.token_id).rank

    @property
    def surprise_bits(self) -> float:
        """-log2 of the model's own probability of the character."""
        return self.distribution.statistics(self.token_id).surprise_bits
