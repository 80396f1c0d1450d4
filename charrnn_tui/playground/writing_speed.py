"""Speed of writing: how many characters are due by now, and how many a second there really were."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

MOST_OWED_SECONDS: Final = 0.2  # after a stall it goes on, it does not catch up
_RATE_WINDOW: Final = 2.0  # seconds over which chars/s is measured
_RATE_GRAIN: Final = 0.05


class WritingSpeed:
    """Counts characters against a clock. All counts are of the whole text."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """clock: seconds."""
        self._clock = clock
        self._due = 0.0
        self._last_asked = 0.0
        self._recent: deque[tuple[float, int]] = deque()  # (seconds, characters written)
        self.chars_per_second = 0.0
        """As measured over the last two seconds of writing."""

    def wake(self, count: int) -> None:
        """Time has passed in which nobody asked for text: do not count it."""
        now = self._clock()
        self._last_asked, self._due = now, 0.0
        self._recent.clear()
        self._recent.append((now, count))

    def due(self, chars_per_second: int) -> int:
        """How many characters are to be written by now, at this speed."""
        now = self._clock()
        elapsed = min(now - self._last_asked, MOST_OWED_SECONDS)
        self._last_asked = now
        self._due = min(self._due + elapsed * chars_per_second, max(1.0, chars_per_second * MOST_OWED_SECONDS))
        return int(self._due)

    def wrote(self, new: int, count: int) -> None:
        """So many characters are new, and so many there are."""
        self._due = max(0.0, self._due - new)
        now = self._clock()
        if now - self._recent[-1][0] < _RATE_GRAIN:
            return
        self._recent.append((now, count))
        while len(self._recent) > 2 and now - self._recent[1][0] >= _RATE_WINDOW:
            self._recent.popleft()
        then, count_then = self._recent[0]
        self.chars_per_second = (count - count_then) / (now - then)
