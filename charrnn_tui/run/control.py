"""Requests to a training from any thread; the trainer serves them between two steps."""

import queue
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from charrnn_tui.run.decoding import snake_case

Ending = Literal["stopped", "interrupted"]
_Number = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class Request(msgspec.Struct, frozen=True, tag_field="request", tag=snake_case):
    """What a trainer is asked for; in JSON, its name in snake case is `request`."""


class Pause(Request, frozen=True):
    """Pause after this step; the model stays in memory."""


class Resume(Request, frozen=True):
    """End a pause."""


class Stop(Request, frozen=True):
    """Save and end. state: of the run's last event."""

    state: Ending = "stopped"
    reason: str = "asked to stop"


class EndAfterEpoch(Request, frozen=True):
    """Save and end when this epoch is done."""


class SaveNow(Request, frozen=True):
    """Write the last checkpoint."""


class SampleNow(Request, frozen=True):
    """Write a sample with the current model."""


class ScaleLearningRate(Request, frozen=True):
    """Multiply the schedule's learning rate by a factor from now on."""

    factor: Annotated[float, Meta(gt=0)]


class AddEpochs(Request, frozen=True):
    """Train for more epochs than planned."""

    epochs: _Number = 1


class RunSteps(Request, frozen=True):
    """End a pause, if any, and pause after so many steps."""

    steps: _Number


class Detach(Request, frozen=True):
    """Save and continue without a terminal."""


class HandOver(Request, frozen=True):
    """Save and end, for another process that waits to train the run."""


class ShareWeights(Request, frozen=True):
    """Call `deliver` with a checkpoint of the current model, on the trainer's thread; not a request by file."""

    deliver: Callable[[object], None]


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
