"""Requests to a training, from any thread, taken by the trainer between two steps."""

import queue
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

_ENDINGS = ("stopped", "interrupted")


@dataclass(frozen=True)
class Pause:
    """Wait after this step; the model stays in memory."""


@dataclass(frozen=True)
class Resume:
    """Go on."""


@dataclass(frozen=True)
class Stop:
    """Save and end. state: what the run's last event will say, stopped or interrupted."""

    state: str = "stopped"
    reason: str = "asked to stop"

    def __post_init__(self) -> None:
        """Raise ValueError for an ending that is none."""
        if self.state not in _ENDINGS or not isinstance(self.reason, str):
            raise ValueError(self.state)


@dataclass(frozen=True)
class EndAfterEpoch:
    """Save and end when this epoch is done."""


@dataclass(frozen=True)
class SaveNow:
    """Write the last checkpoint."""


@dataclass(frozen=True)
class SampleNow:
    """Write a sample with the model as it is."""


@dataclass(frozen=True)
class ScaleLearningRate:
    """Multiply the learning rate, of the schedule too, by a factor from here on."""

    factor: float

    def __post_init__(self) -> None:
        """Raise ValueError for a factor that would end the learning."""
        if not (isinstance(self.factor, int | float) and 0 < self.factor <= sys.float_info.max):
            raise ValueError(self.factor)


@dataclass(frozen=True)
class AddEpochs:
    """So many epochs more than planned."""

    epochs: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError for less than one."""
        _check_count(self.epochs)


@dataclass(frozen=True)
class RunSteps:
    """Go on, where paused, and pause after so many steps."""

    steps: int

    def __post_init__(self) -> None:
        """Raise ValueError for less than one."""
        _check_count(self.steps)


@dataclass(frozen=True)
class Detach:
    """The terminal is gone: save, say so, go on without."""


@dataclass(frozen=True)
class HandOver:
    """Save, and leave the run to the process that waits for it."""


@dataclass(frozen=True)
class ShareWeights:
    """Hand a checkpoint of the model as it is to `deliver`, on the trainer's thread."""

    deliver: Callable[[object], None]


Request = (
    Pause
    | Resume
    | Stop
    | EndAfterEpoch
    | SaveNow
    | SampleNow
    | ScaleLearningRate
    | AddEpochs
    | RunSteps
    | Detach
    | HandOver
    | ShareWeights
)


def _check_count(number: object) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 1_000_000_000:
        raise ValueError(number)


class Letters(Protocol):
    """Where requests from other processes come in."""

    def take(self) -> Iterable[Request]:
        """What is new; never blocks."""


class Control:
    """Many threads put requests in, one trainer takes them out; letters, once there are any, come in between."""

    WAIT_SECONDS = 0.25  # of a paused trainer, between two looks for letters

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._letters: Letters | None = None
        self._arrived: deque[Request] = deque()  # of the trainer's thread alone

    def listen(self, letters: Letters) -> None:
        """Take requests from there too."""
        self._letters = letters

    def request(self, request: Request) -> None:
        """Leave a request; never blocks, safe in a signal handler."""
        self._requests.put(request)

    def take(self) -> Request | None:
        """The oldest request, or None where there is none."""
        return self._arrived.popleft() if self.waiting() else None

    def waiting(self) -> Sequence[Request]:
        """All requests that are there to take, the oldest first."""
        while not self._requests.empty():
            self._arrived.append(self._requests.get())
        if self._letters is not None:
            self._arrived.extend(self._letters.take())
        return self._arrived

    def wait(self) -> Request:
        """The oldest request; waits for one."""
        while (request := self.take()) is None:
            with suppress(queue.Empty):
                self._arrived.append(self._requests.get(timeout=self.WAIT_SECONDS if self._letters else None))
        return request
