"""The weights of the run in training, asked for and waited for without ever standing still."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from charrnn_tui.checkpoint.checkpoint import Checkpoint
    from charrnn_tui.run.active_run import ActiveRun

REFRESH_SECONDS: Final = 5.0


class TrainerWeights:
    """One question at a time to one trainer. The answer lies in a slot until somebody looks."""

    def __init__(self, run: ActiveRun, clock: Callable[[], float] = time.perf_counter) -> None:
        self.run = run
        self._clock = clock
        self._asked = False
        self._answered_at = -REFRESH_SECONDS
        self._slot: list[object] = []  # filled on the trainer's thread; a list's append and pop are atomic

    @property
    def waiting(self) -> bool:
        """Whether a question is open that may still be answered."""
        return self._asked and not self.run.done

    @property
    def due(self) -> bool:
        """Whether weights that are being used are old enough to ask for newer ones."""
        return not self._asked and not self.run.done and self._clock() - self._answered_at >= REFRESH_SECONDS

    def ask(self) -> None:
        """Ask for the weights as they are, unless that question is open already."""
        if not self.waiting and not self.run.done:
            self._asked = True
            from charrnn_tui.run.control import ShareWeights  # not before there is a run

            self.run.control.request(ShareWeights(self._slot.append))

    def ask_again(self) -> None:
        """Ask anew: what lies in the slot has lain there while nobody looked."""
        if self._slot:
            self._slot.clear()
            self._asked = False
        self.ask()

    def take(self) -> Checkpoint | None:
        """The answer, if it has come."""
        if not self._slot:
            return None
        answer = self._slot.pop()
        self._slot.clear()
        self._asked, self._answered_at = False, self._clock()
        return cast("Checkpoint", answer)  # the one thing that a trainer puts into the slot
