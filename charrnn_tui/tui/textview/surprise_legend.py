"""What the colours of a text mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from charrnn_tui.tui.textview.text_view import TextView

if TYPE_CHECKING:
    from charrnn_tui.sampling.generated_text import GeneratedText
    from charrnn_tui.tui.textview.surprise import ColourMode

FIRST_CLASS: Final = 1  # of the text view's; its class 0 is dim, which not every terminal shows


class SurpriseLegend(Horizontal):
    """One row: the steps in the colours themselves, so that it cannot say anything else than the text does; figures."""

    DEFAULT_CSS = """
    SurpriseLegend {
        height: 1; padding: 0 1;
        & > TextView { height: 1; width: 41; scrollbar-size: 0 0; }
        & > Static { height: 1; width: 1fr; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.scale = TextView(id="colour-scale")
        self.scale.can_focus = False
        self._figures = Static("", markup=False)
        self.words = ""

    def compose(self) -> ComposeResult:
        yield self.scale
        yield self._figures

    def show_mode(self, mode: ColourMode) -> None:
        """Explain this mode's steps."""
        lead = f"{mode.name} "
        classes = [-1] * len(lead) + [FIRST_CLASS + step for step, word in enumerate(mode.words) for _ in word]
        self.scale.style_of = lambda start, end: classes[start:end]
        self.scale.set_text(lead + "".join(mode.words))

    def show_figures(self, page: GeneratedText, start: int, end: int) -> None:
        """Total bits, bits a character and perplexity of the characters [start, end)."""
        whole = end - start == len(page)  # its total is known: summing it at each beat would grow with the text
        bits = page.total_bits if whole else math.fsum(page.surprises[start:end])
        mean = bits / (end - start) if end > start else 0.0
        selected = "" if whole else f"{end - start:,} chars: "
        words = f"{selected}{bits:,.0f} bits · {mean:.2f}/char · ppl {2**mean:.2f}" if end > start else ""
        if words != self.words:
            self.words = words
            self._figures.update(words, layout=False)
