"""How fast a training is: its last steps and validations, as measured."""

import statistics
from collections import deque

_SPEED_WINDOW = 20  # steps over which chars/s is averaged
_AHEAD_SECONDS = 0.1  # of work queued on the device at most: a request waits that long


class Pace:
    """The seconds of the last steps of this process, and of its validations."""

    def __init__(self) -> None:
        self.validating_seconds = 0.0  # of all validations
        self._steps: deque[float] = deque(maxlen=_SPEED_WINDOW)
        self._validation: float | None = None

    def add_step(self, seconds: float) -> None:
        """A step has been done."""
        self._steps.append(seconds)

    def add_validation(self, seconds: float, *, further: bool) -> None:
        """A validation has been done. further: of another text, after the first and at each time that there is one."""
        self._validation = seconds + (self._validation or 0.0 if further else 0.0)
        self.validating_seconds += seconds

    def worth_queueing(self, most: int) -> int:
        """How many steps to queue behind the one waited for: enough to keep the device busy, but `_AHEAD_SECONDS`."""
        return min(most, int(_AHEAD_SECONDS / max(min(self._steps), 1e-9))) if self._steps else 0

    def steps_per_second(self) -> float:
        """The mean of the last steps."""
        return len(self._steps) / max(sum(self._steps), 1e-9)

    def step_seconds(self) -> float:
        """The median of the last steps, which one slow step does not move; 0 before the first."""
        return statistics.median(self._steps) if self._steps else 0.0

    def validation_seconds(self, windows: int) -> float:
        """Of the last validation, or an estimate of the first one: a forward pass is about a third of a step."""
        return windows * self.step_seconds() / 3 if self._validation is None else self._validation
