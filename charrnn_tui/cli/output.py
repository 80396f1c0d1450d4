"""Standard output as data, standard error as talk."""

import json
import math
import os
import sys
import time
from typing import IO, Any

import click

FLUSH_SECONDS = 0.05  # a reader at the other end of a pipe sees a stream
FLUSH_BYTES = 4096


class DataStream:
    """Standard output in UTF-8, whatever the locale says; on a terminal at once, into a pipe every 50 ms or 4 kB.

    Raises OSError when the reader is gone or the disk is full.
    """

    def __init__(self) -> None:
        self._stream: IO[bytes] | None = sys.stdout.buffer if sys.stdout is not None else None  # None: closed at start
        self.terminal = self._stream is not None and self._stream.isatty()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._flushed_at = time.monotonic()

    def write(self, text: str) -> None:
        """Write characters as they are."""
        data = utf8(text)
        self._pending.append(data)
        self._pending_bytes += len(data)
        due = self._pending_bytes >= FLUSH_BYTES or time.monotonic() - self._flushed_at >= FLUSH_SECONDS
        if self.terminal or due:
            self.flush()

    def write_json(self, values: Any) -> None:
        """Write one JSON value as one line, and hand it over at once."""
        self.write(to_json_text(values) + "\n")
        self.flush()

    def flush(self) -> None:
        """Hand over what is pending."""
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        if self._stream is not None:
            self._stream.write(data)
            self._stream.flush()
        self._flushed_at = time.monotonic()


def utf8(text: str) -> bytes:
    """Characters as UTF-8; bytes that Python smuggled in as halves of surrogate pairs come out as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other lone surrogates have no bytes in UTF-8
        return text.encode("utf-8", "backslashreplace")


def to_json_text(values: Any) -> str:
    """One line of JSON that is valid UTF-8: what is not a finite number is null, a lone surrogate an escape."""
    text = json.dumps(_finite(values), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # \ud800 is how JSON itself writes it


def _finite(values: Any) -> Any:
    match values:
        case float():
            return values if math.isfinite(values) else None
        case dict():
            return {name: _finite(value) for name, value in values.items()}
        case list() | tuple():
            return [_finite(value) for value in values]
    return values


def say(message: str) -> None:
    """One line of talk. A reader who has gone is no reason to stop the work."""
    try:
        click.echo(message, err=True)
    except OSError:
        discard(sys.stderr)


def discard(stream: IO[str] | None) -> None:
    """Send what is still to be written there nowhere, so that the interpreter's last flush does not complain."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno() if stream is not None else -1)
        finally:
            os.close(nowhere)
    except (OSError, ValueError):  # not a real file: a test's, or closed already
        pass
