"""The time that a training may take, and how many steps fit into it."""

import time
from collections.abc import Callable
from typing import Final

FIRST_CHECK: Final = 0.05  # of the time that is left at the first step: until the plan is first corrected


def steps_within(seconds: float, step_seconds: float, validation_seconds: float, print_every: int) -> int:
    """How many training steps fit into so many seconds, with a validation every `print_every` and at the end."""
    each = step_seconds + validation_seconds / print_every
    return max(0, int((seconds - validation_seconds) / max(each, 1e-9)))


class Budget:
    """The seconds that a training has spent, from its start on without pauses, and those that it may spend.

    Steps are planned by what the ones since the last plan have taken, saves and samples included. The plan is due for
    correction when as much time again is spent, later when half of what was left is, in time or in steps: a wrong plan
    is found early, and another load of the machine near the end still moves it by little.
    """

    def __init__(
        self, seconds: float, spent_seconds: float = 0.0, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """seconds: infinite for a training without a budget. spent_seconds: by earlier processes."""
        self.seconds, self._clock = seconds, clock
        self._began = clock() - spent_seconds
        self._planned_at, self._validating, self._step = 0.0, 0.0, 0
        self._next = seconds

    @property
    def spent_seconds(self) -> float:
        """Since the start of the training, by all its processes, without pauses."""
        return self._clock() - self._began

    @property
    def left_seconds(self) -> float:
        """Until the training is to end; negative when it is late."""
        return self.seconds - self.spent_seconds

    def exclude(self, seconds: float) -> None:
        """Do not count a pause."""
        self._began += seconds

    def begin(self, step: int) -> None:
        """The next step is the first one that this process trains."""
        self._mark(step, 0.0, FIRST_CHECK * self.left_seconds)

    def due(self, step: int, steps: int) -> bool:
        """Whether the plan of so many steps should be corrected after this one."""
        halved = 2 * (step - self._step) >= steps - self._step
        return step > self._step and (halved or self.spent_seconds >= self._next)

    def planned_steps(self, step: int, validating: float, validation_seconds: float, print_every: int) -> int:
        """How many steps the training should have in all. validating: seconds of all validations since `begin`."""
        spent, left = self.spent_seconds - self._planned_at, self.left_seconds
        step_seconds = (spent - (validating - self._validating)) / (step - self._step)
        self._mark(step, validating, min(self.spent_seconds, left / 2))
        return step + steps_within(left, step_seconds, validation_seconds, print_every)

    def _mark(self, step: int, validating: float, wait: float) -> None:
        self._planned_at, self._step, self._validating = self.spent_seconds, step, validating
        self._next = self._planned_at + wait
