"""A lens that shows which of the last characters decided one: how much its distribution changes without each."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from charrnn_tui.analysis.memory import LAST
from charrnn_tui.playground.deciding import Deciders
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.tui.textview.lens import STEPS, Lens, Page
from charrnn_tui.tui.textview.visible import symbol_of

_BOUNDS: Final = (0.02, 0.1, 0.3, 0.6)
_LABELS: Final = (" <2% ", " 2% ", " 10% ", " 30% ", " 60%+ ")


class DecidingLens:
    """For the character under the cursor of the inspector or, without one, the last one."""

    def __init__(self, deciders: Deciders) -> None:
        self._deciders = deciders
        about = f"which of the last {LAST} characters decided this one"
        scale = tuple(zip(_LABELS, STEPS, strict=True))
        self.lens = Lens("deciding", about, scale, self._classes, self._figures, self._look)

    def _look(self, page: Page) -> None:
        self._deciders.ask(page.text, page.place)

    def _classes(self, text: GeneratedText, start: int, end: int) -> Sequence[int]:
        decision = self._deciders.decision
        if decision is None or decision.text is not text:
            return [-1] * (end - start)
        values = decision.between(start, end)
        known, steps = np.isfinite(values).tolist(), np.digitize(values, _BOUNDS).tolist()
        return [STEPS[step] if there else -1 for step, there in zip(steps, known, strict=True)]

    def _figures(self, page: Page) -> Sequence[str]:
        """Such as `␣: most by "g", 2 before: 31%`."""
        decision = self._deciders.decision
        if decision is None or decision.text is not page.text or not len(decision.influences):
            return [""]
        strongest = int(decision.influences.argmax())
        symbol, by = (symbol_of(page.character(place)) for place in (decision.place, decision.begin + strongest))
        share, back = f"{decision.influences[strongest]:.0%}", len(decision.influences) - strongest
        return [symbol, f"{symbol}: {by} {share}", f"{symbol}: most by {by}, {back} before: {share}"]
