"""Which of the last characters decided a written one, computed in the background."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.memory import LAST, influences
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.sampling.char_model import HiddenState
from charrnn_tui.sampling.generated_text import GeneratedText, WeightsGone

_DECIDING: Final = "deciding"  # key of the job


@dataclass(frozen=True, eq=False)
class Decision:
    """influences: of the characters from `begin` up to the one at `place`, as `analysis.memory.influences` has them.

    begin, place: positions on the page, the prime included.
    """

    text: GeneratedText
    begin: int
    place: int
    influences: NDArray[np.float64]

    def between(self, start: int, end: int) -> NDArray[np.float64]:
        """Of the characters [start, end) of the page; NaN for those that were not left out."""
        found = np.full(max(0, end - start), np.nan)
        low, high = max(start, self.begin), min(end, self.place)
        if low < high:
            found[low - start : high - start] = self.influences[low - self.begin : high - self.begin]
        return found


class Deciders:
    """Computes one decision at a time; what is asked for meanwhile comes next, the newest only."""

    def __init__(self, jobs: Jobs, changed: Callable[[int, int], None]) -> None:
        """changed: called with the characters [start, end) of the page whose influence is now another one."""
        self._jobs, self._changed = jobs, changed
        self.decision: Decision | None = None
        """The newest one that is known."""
        self._asked: tuple[GeneratedText, int] | None = None
        self._next: tuple[GeneratedText, int] | None = None

    def ask(self, text: GeneratedText, place: int) -> None:
        """Compute what decided the character at a position of the page; nothing decides one of the prime."""
        if place < max(1, len(text.prime)) or (self._asked is not None and self._asked == (text, place)):
            return
        self._next = text, place
        if not self._jobs.pending(_DECIDING):
            self._compute()

    def forget(self) -> None:
        """Drop what is known and what is being computed."""
        self._jobs.cancel(_DECIDING)
        self.decision = self._asked = self._next = None

    def _compute(self) -> None:
        if self._next is None:
            return
        (text, place), self._asked, self._next = self._next, self._next, None
        try:
            before = text.fork(place - len(text.prime))  # the text is written on while the job reads
        except WeightsGone:
            return
        self._jobs.submit(_DECIDING, lambda token: _decision(text, before, place, token), self._came)

    def _came(self, decision: Decision) -> None:
        before, self.decision = self.decision, decision
        if before is not None and before.text is decision.text:
            self._changed(before.begin, before.place)
        self._changed(decision.begin, decision.place)
        self._compute()


def _decision(text: GeneratedText, before: GeneratedText, place: int, token: CancelToken) -> Decision:
    """before: the text in front of the place."""
    begin, vocabulary = max(0, place - LAST), before.vocabulary
    ids = np.array([*vocabulary.encode(before.prime).tolist(), *before.ids], vocabulary.dtype)[begin:]
    state = _state_before(before, begin, token)
    pins = before.settings_at(len(before) - 1).pins if len(before) else ()
    return Decision(text, begin, place, influences(before.network, ids, state, pins))


def _state_before(text: GeneratedText, place: int, token: CancelToken) -> HiddenState | None:
    """The state before a position of the page; None, which is zero, before the first character of a prime."""
    primed, state = len(text.prime), None
    if place >= primed:
        return text.snapshot_at(place - primed).state
    for behind in islice(text.prime_states(), place):
        token.check()
        state = behind
    return state
