"""Requests from any process: files in a run's `control` directory, which its trainer reads between two steps.

A file is one JSON object: `request`, its name in snake case (`pause`, `scale_learning_rate`, …), and its fields.
"""

import dataclasses
import itertools
import json
import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from charrnn_tui.run.control import (
    AddEpochs,
    Detach,
    EndAfterEpoch,
    HandOver,
    Pause,
    Request,
    Resume,
    RunSteps,
    SampleNow,
    SaveNow,
    ScaleLearningRate,
    Stop,
)
from charrnn_tui.run.files import write_atomically

POLL_SECONDS = 0.25  # between two listings of the directory
_MOST_BYTES = 4096  # a request is one short line

_KINDS: dict[str, type[Any]] = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(): kind
    for kind in (
        *(Pause, Resume, Stop, EndAfterEpoch, SaveNow, SampleNow, ScaleLearningRate),
        *(AddEpochs, RunSteps, Detach, HandOver),
    )
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_counter = itertools.count()


def leave_request(directory: Path, request: Request) -> None:
    """Send a request to the trainer of the run in `directory`. Raises OSError if it cannot be written to."""
    values = {"request": _NAMES[type(request)], **dataclasses.asdict(request)}
    control = directory / "control"
    control.mkdir(exist_ok=True)
    name = f"{time.time_ns():020}-{os.getpid()}-{next(_counter)}.json"  # sorted as they were sent
    write_atomically(control / name, (json.dumps(values) + "\n").encode())


def request_from_json(values: Mapping[str, Any]) -> Request | None:
    """The request of a JSON object; None for an unknown one or invalid values."""
    kind = _KINDS.get(str(values.get("request")))
    if kind is None:
        return None
    arguments = {spec.name: values[spec.name] for spec in dataclasses.fields(kind) if spec.name in values}
    try:
        request: Request = kind(**arguments)
    except (TypeError, ValueError):
        return None
    return request


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
    try:
        with file.open("rb") as stream:
            data = stream.read(_MOST_BYTES)
        file.unlink()
        values = json.loads(data)
    except (OSError, ValueError, RecursionError):  # RecursionError: thousands of brackets
        return None
    return request_from_json(values) if isinstance(values, dict) else None
