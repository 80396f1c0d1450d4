"""Requests from any process: files in a run's `control` directory, which its trainer reads between two steps.

A file is one JSON object: `request`, its name in snake case (`pause`, `scale_learning_rate`, …), and its fields.
"""

import itertools
import json
import os
import time
from contextlib import suppress
from functools import reduce
from operator import or_
from pathlib import Path

import msgspec

from charrnn_tui.run.control import Request, ShareWeights
from charrnn_tui.run.decoding import DecodingError, decode
from charrnn_tui.run.files import write_atomically

POLL_SECONDS = 0.25  # between two listings of the directory
_MOST_BYTES = 4096  # a request is one short line

_REQUESTS: type[Request] = reduce(or_, (kind for kind in Request.__subclasses__() if kind is not ShareWeights))
_counter = itertools.count()


def leave_request(directory: Path, request: Request) -> None:
    """Send a request to the trainer of the run in `directory`. Raises OSError if it cannot be written to."""
    control = directory / "control"
    control.mkdir(exist_ok=True)
    name = f"{time.time_ns():020}-{os.getpid()}-{next(_counter)}.json"  # sorted as they were sent
    write_atomically(control / name, request_to_line(request))


def request_to_line(request: Request) -> bytes:
    """A request as one line of JSON."""
    return (json.dumps(msgspec.to_builtins(request)) + "\n").encode()


def request_from_line(line: bytes) -> Request | None:
    """The request of a line; None for an unknown one or invalid values."""
    with suppress(DecodingError):
        return decode(line[:_MOST_BYTES], _REQUESTS)
    return None


class Mailbox:
    """The trainer's side of a run's `control` directory."""

    def __init__(self, directory: Path, poll_seconds: float = POLL_SECONDS) -> None:
        """Drop requests to an earlier trainer. poll_seconds: the directory is listed no more often than this."""
        self._path, self._poll_seconds = directory / "control", poll_seconds
        self._polled_at = 0.0
        with suppress(OSError):  # without the directory there are no requests
            self._path.mkdir(exist_ok=True)
        for file in self._files():
            with suppress(OSError):
                file.unlink()

    def take(self) -> list[Request]:
        """The requests sent since the last poll, whose files are removed; none if that was a moment ago."""
        now = time.monotonic()
        if now - self._polled_at < self._poll_seconds:
            return []
        self._polled_at = now
        found = (_read(file) for file in self._files())
        return [request for request in found if request is not None]

    def _files(self) -> list[Path]:
        try:
            names = os.listdir(self._path)
        except OSError:
            return []
        return [self._path / name for name in sorted(names) if name.endswith(".json") and not name.startswith(".")]


def _read(file: Path) -> Request | None:
    """The request in a file, which is removed; None for an unknown one or invalid values."""
    try:
        with file.open("rb") as stream:
            data = stream.read(_MOST_BYTES)
        file.unlink()
    except OSError:
        return None
    return request_from_line(data)
