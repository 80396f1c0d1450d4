"""Standard output for results, standard error for messages: the one place that writes to either."""

import json
import os
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Any

import click

from charrnn_tui.run.terminal_notice import notice_sequences

FLUSH_SECONDS = 0.05  # a reader at the other end of a pipe sees a stream
Row = tuple[str, str]  # a label and what is said under it

_JOINERS = "\u200c\u200d"  # part of how scripts and emoji are spelled
_STEERING = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, direction marks, surrogates, no characters


class DataStream:
    """Standard output in UTF-8, whatever the locale says; on a terminal at once, into a pipe every 50 ms.

    Raises OSError when the reader is gone or the disk is full.
    """

    def __init__(self) -> None:
        self._stream: IO[bytes] | None = sys.stdout.buffer if sys.stdout is not None else None  # None: closed at start
        self.terminal = is_terminal(self._stream)
        self._flushed_at = time.monotonic()

    def write_text(self, text: str) -> None:
        """Write characters of a text: as they are into a pipe or a file, visible on a terminal."""
        if self._stream is not None:
            self._stream.write(utf8(visible_text(text) if self.terminal else text))
        if self.terminal or time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def write_line(self, line: str) -> None:
        """Write a line about something, visible wherever it goes, and hand it over at once."""
        self.write_text(visible_line(line) + "\n")
        self.flush()

    def write_json(self, values: Any) -> None:
        """Write one JSON value as one line, and hand it over at once."""
        self.write_text(to_json_text(values) + "\n")
        self.flush()

    def flush(self) -> None:
        """Hand over what is pending."""
        if self._stream is not None:
            self._stream.flush()
        self._flushed_at = time.monotonic()


def write_facts(facts: Any, rows: Callable[[Any], Sequence[Row]], as_json: bool) -> None:
    """Write facts as JSON, or as the rows that are made of them, a line each."""
    stream = DataStream()
    if as_json:
        stream.write_json(facts)
        return
    labelled = rows(facts)
    width = max(len(label) for label, _ in labelled)
    for label, words in labelled:
        stream.write_line(f"{label:<{width}}  {words}")


def say(*lines: str) -> None:
    """Write lines of a message. A reader who has gone is no reason to stop the work."""
    try:
        click.echo("\n".join(map(visible_line, lines)), err=True)
    except OSError:
        discard(sys.stderr)


def notify(title: str, message: str) -> None:
    """Ring, set the title and ask for a desktop notification, if messages go to a terminal."""
    if is_terminal(sys.stderr):
        with suppress(OSError):
            click.echo(notice_sequences(title, message), err=True, nl=False)


def is_terminal(stream: IO[Any] | None) -> bool:
    """Whether what is written there is shown on a terminal."""
    return stream is not None and stream.isatty()


def may_draw(stream: IO[Any] | None) -> bool:
    """Whether a screen or a bar may be drawn there: not beside a shell that runs this in the background."""
    if stream is None or not is_terminal(stream):
        return False
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except (OSError, AttributeError):  # not the terminal whose jobs a shell controls, or a system without jobs
        return True


def visible_text(text: str) -> str:
    """The text with a stand-in for each character that would steer the terminal; line feeds and tabs lay it out.

    Everything else stays as it is, combining marks too: unlike in the app, no place of the screen belongs to a
    character here.
    """
    return _visible(text, _JOINERS + "\n\t")


def visible_line(text: str) -> str:
    """The same for a line with names of files, runs and the like in it, whose line feeds are not ours either."""
    return _visible(text, _JOINERS)


def _visible(text: str, harmless: str) -> str:
    if text.isprintable():
        return text
    from charrnn_tui.tui.textview.visible import visible  # builds on Rich's table of widths

    return "".join(visible(char) if _steers(char) and char not in harmless else char for char in text)


def _steers(char: str) -> bool:
    return unicodedata.category(char) in _STEERING


def utf8(text: str) -> bytes:
    """Characters as UTF-8; bytes that Python smuggled in as halves of surrogate pairs come out as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other lone surrogates have no bytes in UTF-8
        return text.encode("utf-8", "backslashreplace")


def to_json_text(values: Any) -> str:
    """One line of JSON: what is not a finite number is null, what would steer a terminal or is no UTF-8 an escape."""
    finite = json.loads(json.dumps(values), parse_constant=lambda name: None)
    text = json.dumps(finite, ensure_ascii=False)
    return text if text.isprintable() else "".join(json.dumps(char)[1:-1] if _steers(char) else char for char in text)


def discard(stream: IO[str] | None) -> None:
    """Send what is still to be written there nowhere, so that the interpreter's last flush does not complain."""
    if stream is not None:
        with suppress(OSError, ValueError):  # not a real file: a test's, or closed already
            point_at_nothing([stream.fileno()])


def point_at_nothing(descriptors: list[int]) -> None:
    """For a terminal or a reader that is gone: reading it would spin, writing to it would block or fail."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)
