"""The distribution of the next character: the candidates with their bars, and its entropy."""

from typing import Final

from rich.cells import cell_len

from charrnn_tui.run.quantities import nats
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.tui.play.drawn_rows import DrawnRows, Row, components
from charrnn_tui.tui.textview.visible import symbol_of

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_PERCENT_CELLS: Final = 6


def bar(share: float, cells: int) -> str:
    """A bar in eighths of a cell, at least one eighth long, without blanks behind it."""
    eighths = max(1, round(share * cells * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _percent(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


class NextCharacter(DrawnRows):
    """A bar for each candidate; with one row of height, all of them in that row.

    It changes several times a second, so a row has at most two styles: each costs more bytes than the text it styles.
    """

    COMPONENT_CLASSES = components("head", "bar", "figures")

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Distribution, Vocabulary] | None = None

    def show(self, distribution: Distribution, vocabulary: Vocabulary) -> None:
        """Show the candidates and the figures of this distribution."""
        self._shown = distribution, vocabulary
        self.redraw()

    def rows(self) -> list[Row]:
        height = self.size.height
        if self._shown is None:
            return [[("head", "next " if height == 1 else "next character")]]
        distribution, vocabulary = self._shown
        bits, kept = distribution.entropy_bits, f"kept {distribution.kept} of {len(vocabulary)}"
        entropy = f"{nats(bits):.1f} nats"
        most = max(12, height)
        shares = zip(distribution.candidates[:most].tolist(), distribution.shares[:most].tolist(), strict=True)
        candidates = [(symbol_of(vocabulary.tokens[token_id]), share) for token_id, share in shares]
        if height == 1:
            return [self._one_row(candidates, f"entropy {entropy} · {kept}")]
        bars = [self._bar_row(symbol, share) for symbol, share in candidates[: max(0, height - 4)]]
        blanks: list[Row] = [[] for _ in range(height - 3 - len(bars))]
        figures: list[Row] = [
            [("figures", f"entropy {entropy} ({bits:.1f} bits)")],
            [("figures", f"{kept} · {distribution.kept_mass:.0%}")],
        ]
        return [[("head", "next character")], *bars, *blanks, *figures]

    def _bar_row(self, symbol: str, share: float) -> Row:
        cells = max(1, self.size.width - 3 - _PERCENT_CELLS)
        drawn = bar(share, cells)
        percent = _percent(share).rjust(_PERCENT_CELLS + cells - len(drawn))
        return [("bar", symbol + " " * (3 - cell_len(symbol)) + drawn), ("figures", percent)]

    def _one_row(self, candidates: list[tuple[str, float]], figures: str) -> Row:
        room = self.size.width - len("next ") - len(figures)
        shown = ""
        for symbol, share in candidates:
            more = f"{symbol} {_percent(share)}  "
            if cell_len(shown) + cell_len(more) > room:
                break
            shown += more
        return [("head", "next "), ("figures", shown + " " * (room - cell_len(shown)) + figures)]
