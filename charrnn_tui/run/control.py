"""Requests to a training from any thread; the trainer serves them between two steps."""

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
    """Pause after this step; the model stays in memory."""


@dataclass(frozen=True)
class Resume:
    """End a pause."""


@dataclass(frozen=True)
class Stop:
    """Save and end. state: of the run's last event, stopped or interrupted."""

    state: str = "stopped"
    reason: str = "asked to stop"

    def __post_init__(self) -> None:
        """Raise ValueError for another state."""
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
    """Write a sample with the current model."""


@dataclass(frozen=True)
class ScaleLearningRate:
    """Multiply the schedule's learning rate by a factor from now on."""

    factor: float

    def __post_init__(self) -> None:
        """Raise ValueError unless the factor is positive and finite."""
        if not (isinstance(self.factor, int | float) and 0 < self.factor <= sys.float_info.max):
            raise ValueError(self.factor)


@dataclass(frozen=True)
class AddEpochs:
    """Train for more epochs than planned."""

    epochs: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError for less than one."""
        _check_count(self.epochs)


@dataclass(frozen=True)
class RunSteps:
    """End a pause, if any, and pause after so many steps."""

    steps: int

    def __post_init__(self) -> None:
        """Raise ValueError for less than one."""
        _check_count(self.steps)


@dataclass(frozen=True)
class Detach:
    """Save and continue without a terminal."""


@dataclass(frozen=True)
class HandOver:
    """Save and end, for another process that waits to train the run."""


@dataclass(frozen=True)
class ShareWeights:
    """Call `deliver` with a checkpoint of the current model, on the trainer's thread."""

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


class RequestSource(Protocol):
    """A source of requests from other processes."""

    def take(self) -> Iterable[Request]:
        """The new requests; never blocks."""


class Control:
    """A queue of requests from many threads, and from other processes, to one trainer."""

    WAIT_SECONDS = 0.25  # of a paused trainer, between two polls of other processes' requests

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._source: RequestSource | None = None
        self._arrived: deque[Request] = deque()  # used by the trainer's thread only

    def listen(self, source: RequestSource) -> None:
        """Also take requests from this source."""
        self._source = source

    def request(self, request: Request) -> None:
        """Add a request; never blocks, safe in a signal handler."""
        self._requests.put(request)

    def take(self) -> Request | None:
        """The oldest request, removed from the queue, or None."""
        return self._arrived.popleft() if self.waiting() else None

    def waiting(self) -> Sequence[Request]:
        """All requests in the queue, the oldest first."""
        while not self._requests.empty():
            self._arrived.append(self._requests.get())
        if self._source is not None:
            self._arrived.extend(self._source.take())
        return self._arrived

    def wait(self) -> Request:
        """The oldest request, removed from the queue; waits until there is one."""
        while (request := self.take()) is None:
            with suppress(queue.Empty):
                self._arrived.append(self._requests.get(timeout=self.WAIT_SECONDS if self._source else None))
        return request
