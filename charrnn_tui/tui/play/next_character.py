"""The distribution of the next character: the candidates with their bars, and its entropy."""

from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widget import Widget

from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.tui.textview.visible import symbol_of

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_PERCENT_CELLS: Final = 6
_NEXT: Final = "next "


@dataclass(frozen=True)
class Candidate:
    """A character that may be drawn and its probability after the controls, 0 … 1."""

    symbol: str
    share: float


@dataclass(frozen=True)
class NextDistribution:
    """The part of a `Distribution` that is shown. kept_mass: the model's probability of all kept characters."""

    candidates: tuple[Candidate, ...]
    entropy_bits: float
    kept: int
    tokens: int
    kept_mass: float


def next_distribution(distribution: Distribution, vocabulary: Vocabulary, most: int) -> NextDistribution:
    """The `most` likely candidates and the figures of the whole distribution."""
    candidates = tuple(
        Candidate(symbol_of(vocabulary.tokens[int(token_id)]), distribution.after_at(place))
        for place, token_id in enumerate(distribution.candidates[:most])
    )
    return NextDistribution(
        candidates, distribution.entropy_bits, distribution.kept, len(vocabulary), distribution.kept_mass
    )


def bar(share: float, cells: int) -> str:
    """A bar in eighths of a cell, at least one eighth long, without blanks behind it."""
    eighths = max(1, round(share * cells * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


class NextCharacter(Widget):
    """A bar for each candidate; with one row of height, all of them in that row.

    It changes several times a second, so a row has at most two styles: each costs more bytes than the text it styles.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "next-character--heading",
        "next-character--bar",
        "next-character--figures",
    }

    distribution: Reactive[NextDistribution | None] = reactive(None, repaint=False)

    def watch_distribution(self, before: NextDistribution | None, distribution: NextDistribution | None) -> None:
        width, height = self.size
        old, new = self._lines(before), self._lines(distribution)
        left = len(_NEXT) if height == 1 and before is not None else 0
        for row in range(height):
            if old[row : row + 1] != new[row : row + 1]:
                self.refresh(Region(left, row, width - left, 1))

    def render_line(self, y: int) -> Strip:
        lines = self._lines(self.distribution)
        parts = lines[y] if y < len(lines) else []
        segments = [
            Segment(text, self.get_component_rich_style(f"next-character--{name}") if name else self.rich_style)
            for name, text in parts
        ]
        return Strip(segments).crop_extend(0, self.size.width, self.rich_style)

    def _lines(self, distribution: NextDistribution | None) -> list[list[tuple[str, str]]]:
        """Every row as (component, text) pairs."""
        if self.size.height == 1:
            return [self._one_line(distribution)]
        lines: list[list[tuple[str, str]]] = [[("heading", "next character")]]
        if distribution is None:
            return lines
        lines += [self._candidate(candidate) for candidate in distribution.candidates[: max(0, self.size.height - 4)]]
        kept = f"kept {distribution.kept} of {distribution.tokens} · {distribution.kept_mass:.0%}"
        lines += [[] for _ in range(self.size.height - 2 - len(lines))]
        return [*lines, [("figures", f"entropy {distribution.entropy_bits:.1f} bits")], [("figures", kept)]]

    def _candidate(self, candidate: Candidate) -> list[tuple[str, str]]:
        symbol = candidate.symbol + " " * (3 - cell_len(candidate.symbol))
        cells = max(1, self.size.width - 3 - _PERCENT_CELLS)
        drawn = bar(candidate.share, cells)
        share = f"{candidate.share:.0%}".rjust(_PERCENT_CELLS + cells - len(drawn))
        return [("bar", symbol + drawn), ("figures", share)]

    def _one_line(self, distribution: NextDistribution | None) -> list[tuple[str, str]]:
        if distribution is None:
            return [("heading", _NEXT)]
        figures = f"{distribution.entropy_bits:.1f} bits · kept {distribution.kept} of {distribution.tokens}"
        room = self.size.width - len(_NEXT) - len(figures)
        shown = ""
        for candidate in distribution.candidates:
            more = f"{candidate.symbol} {candidate.share:.0%}  "
            if cell_len(shown) + cell_len(more) > room:
                break
            shown += more
        return [("heading", _NEXT), ("figures", shown + " " * (room - cell_len(shown)) + figures)]
