"""What the model may write next: the kept candidates with their bars, and how open the choice is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widget import Widget

from charrnn_tui.tui.textview.visible import symbol_of

if TYPE_CHECKING:
    from charrnn_tui.sampling.distribution import Distribution
    from charrnn_tui.text.vocabulary import Vocabulary

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_PERCENT_CELLS: Final = 6
_NEXT: Final = "next "


@dataclass(frozen=True)
class Candidate:
    """A character that may be written and its share of the choice, 0 … 1."""

    symbol: str
    share: float


@dataclass(frozen=True)
class Outlook:
    """What is shown of a distribution. kept_mass: as `Distribution.kept_mass`."""

    candidates: tuple[Candidate, ...]
    entropy_bits: float
    kept: int
    tokens: int
    kept_mass: float


def outlook_of(distribution: Distribution, vocabulary: Vocabulary, most: int) -> Outlook:
    """The likeliest `most` candidates and the figures of the whole."""
    candidates = tuple(
        Candidate(symbol_of(vocabulary.tokens[int(token_id)]), distribution.after_at(place))
        for place, token_id in enumerate(distribution.candidates[:most])
    )
    return Outlook(candidates, distribution.entropy_bits, distribution.kept, len(vocabulary), distribution.kept_mass)


def bar(share: float, cells: int) -> str:
    """A bar in eighths of a cell, at least one eighth long, without blanks behind it."""
    eighths = max(1, round(share * cells * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


class NextCharacter(Widget):
    """A bar for each candidate. With one row of height all of it stands in that row.

    It changes several times a second, so a row has two styles at most: each costs more bytes than what it styles.
    """

    HELP = """The characters that may come next, the likeliest first, after temperature, top-k, top-p and min-p.

entropy   how open the model finds the question, in bits: 0 is certain, 1 a coin, 2 four equal choices
kept      how many characters of the alphabet the controls leave in the draw, and their share of it

␣ is a space, ⏎ a line break, ⇥ a tab."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "next-character--heading",
        "next-character--bar",
        "next-character--figures",
    }
    DEFAULT_CSS = """
    NextCharacter {
        & .next-character--heading { color: $text-muted; text-style: bold; }
        & .next-character--bar { color: $text-primary; text-style: bold; }
        & .next-character--figures { color: $text-muted; }
    }
    """

    outlook: Reactive[Outlook | None] = reactive(None, repaint=False)

    def watch_outlook(self, before: Outlook | None, outlook: Outlook | None) -> None:
        width, height = self.size
        old, new = self._lines(before), self._lines(outlook)
        left = len(_NEXT) if height == 1 and before is not None else 0
        for row in range(height):
            if old[row : row + 1] != new[row : row + 1]:
                self.refresh(Region(left, row, width - left, 1))

    def render_line(self, y: int) -> Strip:
        lines = self._lines(self.outlook)
        parts = lines[y] if y < len(lines) else []
        segments = [
            Segment(text, self.get_component_rich_style(f"next-character--{name}") if name else self.rich_style)
            for name, text in parts
        ]
        return Strip(segments).crop_extend(0, self.size.width, self.rich_style)

    def _lines(self, outlook: Outlook | None) -> list[list[tuple[str, str]]]:
        """(component, text) pairs of every row."""
        if self.size.height == 1:
            return [self._one_line(outlook)]
        lines: list[list[tuple[str, str]]] = [[("heading", "next character")]]
        if outlook is None:
            return lines
        lines += [self._candidate(candidate) for candidate in outlook.candidates[: max(0, self.size.height - 4)]]
        kept = f"kept {outlook.kept} of {outlook.tokens} · {outlook.kept_mass:.0%}"
        lines += [[] for _ in range(self.size.height - 2 - len(lines))]
        return [*lines, [("figures", f"entropy {outlook.entropy_bits:.1f} bits")], [("figures", kept)]]

    def _candidate(self, candidate: Candidate) -> list[tuple[str, str]]:
        symbol = candidate.symbol + " " * (3 - cell_len(candidate.symbol))
        cells = max(1, self.size.width - 3 - _PERCENT_CELLS)
        drawn = bar(candidate.share, cells)
        share = f"{candidate.share:.0%}".rjust(_PERCENT_CELLS + cells - len(drawn))
        return [("bar", symbol + drawn), ("figures", share)]

    def _one_line(self, outlook: Outlook | None) -> list[tuple[str, str]]:
        if outlook is None:
            return [("heading", _NEXT)]
        figures = f"{outlook.entropy_bits:.1f} bits · kept {outlook.kept} of {outlook.tokens}"
        room = self.size.width - len(_NEXT) - len(figures)
        words = ""
        for candidate in outlook.candidates:
            more = f"{candidate.symbol} {candidate.share:.0%}  "
            if cell_len(words) + cell_len(more) > room:
                break
            words += more
        return [("heading", _NEXT), ("figures", words + " " * (room - cell_len(words)) + figures)]
