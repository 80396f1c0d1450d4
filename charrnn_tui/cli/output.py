"""Writing results to standard output and messages to standard error; nothing else in `cli` writes to either."""

import json
import locale
import os
import stat
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Any, Final, TextIO

import click

from charrnn_tui.run.ascii import draws_ascii, encodable, in_ascii, is_utf8
from charrnn_tui.run.terminal_notice import notice_sequences
from charrnn_tui.text.byte_text import joined

FLUSH_SECONDS = 0.05  # so that the reader of a pipe gets text as it is written
Row = tuple[str, str]  # a label and its value

_JOINERS = "\u200c\u200d"  # some scripts and emoji are written with them
_CONTROLS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # Unicode categories that are not printed as they are


class Terminal:
    """What the terminal can show. encoding: the locale's, which UTF-8 mode of Python does not change."""

    def __init__(self) -> None:
        self.encoding = locale.getencoding()
        self.ascii = self.draws_ascii
        """Whether our own signs are drawn in ASCII."""

    @property
    def draws_ascii(self) -> bool:
        """Whether they are if nobody says else."""
        return draws_ascii(os.environ, self.encoding)

    def shown(self, words: str) -> str:
        """Words of ours as they are written."""
        return in_ascii(words) if self.ascii else words

    def encoded(self, text: str) -> bytes:
        """What is sent to the terminal."""
        return utf8(text) if is_utf8(self.encoding) else encodable(text, self.encoding).encode(self.encoding, "replace")


TERMINAL: Final = Terminal()


class DrawnStream:
    """A text stream for Rich, which then draws in ASCII where the terminal needs it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = "ascii" if TERMINAL.ascii else stream.encoding  # by which Rich chooses its signs

    def write(self, text: str) -> int:
        return self._stream.write(TERMINAL.shown(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class DataStream:
    """Standard output in UTF-8, whatever the locale says; on a terminal at once, into a pipe every 50 ms.

    Raises OSError when the reader is gone or the disk is full.
    """

    def __init__(self) -> None:
        self._stream: IO[bytes] | None = sys.stdout.buffer if sys.stdout is not None else None  # None: closed at start
        self.terminal = is_terminal(self._stream)
        self.file = is_file(self._stream)
        self._flushed_at = time.monotonic()

    def write_text(self, text: str) -> None:
        """Write text: unchanged into a pipe or a file, on a terminal with control characters made visible."""
        if self._stream is not None:
            self._stream.write(TERMINAL.encoded(visible_text(text)) if self.terminal else utf8(text))
        if self.terminal or time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def write_line(self, line: str) -> None:
        """Write a line, with control characters made visible everywhere, and flush."""
        self.write_text(visible_line(line) + "\n")
        self.flush()

    def write_json(self, values: Any) -> None:
        """Write a value as one line of JSON, and flush."""
        text = to_json_text(values)
        if self.terminal and not is_utf8(TERMINAL.encoding):
            text = json.dumps(json.loads(text))  # with escapes instead of characters that it may lack
        self.write_text(text + "\n")
        self.flush()

    def flush(self) -> None:
        """Send what was written to the reader."""
        if self._stream is not None:
            self._stream.flush()
        self._flushed_at = time.monotonic()


def write_facts(facts: Any, rows: Callable[[Any], Sequence[Row]], as_json: bool) -> None:
    """Write facts as JSON, or as lines of a label and a value, which `rows` makes of them."""
    stream = DataStream()
    if as_json:
        stream.write_json(facts)
        return
    labelled = rows(facts)
    width = max(len(label) for label, _ in labelled)
    for label, words in labelled:
        stream.write_line(f"{label:<{width}}  {words}")


def say(*lines: str) -> None:
    """Write the lines of a message; if standard error has no reader any more, discard them."""
    try:
        click.echo("\n".join(map(visible_line, lines)), err=True)
    except OSError:
        discard(sys.stderr)


def notify(title: str, message: str) -> None:
    """Ring, set the title and ask for a desktop notification, if messages go to a terminal that may know how."""
    if is_terminal(sys.stderr) and not is_dumb():
        with suppress(OSError):
            click.echo(TERMINAL.shown(notice_sequences(title, message)), err=True, nl=False)


def is_terminal(stream: IO[Any] | None) -> bool:
    """Whether what is written there is shown on a terminal."""
    return stream is not None and stream.isatty()


def is_file(stream: IO[Any] | None) -> bool:
    """Whether what is written there goes to a file, where nobody sees it grow; not into a pipe or to a terminal."""
    with suppress(OSError):  # a test's stream has no descriptor
        return stream is not None and stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    return False


def is_dumb() -> bool:
    """Whether the terminal follows no escape sequences, such as that of an editor or for a screen reader."""
    return os.environ.get("TERM", "") == "dumb"


def may_draw(stream: IO[Any] | None) -> bool:
    """Whether a screen or a bar may be drawn there: a terminal, not a dumb one, and no background job of its shell."""
    if stream is None or not is_terminal(stream) or is_dumb():
        return False
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except (OSError, AttributeError):  # not the terminal whose jobs a shell controls, or a system without jobs
        return True


def visible_text(text: str) -> str:
    """The text with a symbol in place of each control character; line feeds and tabs stay.

    Combining marks stay, too: unlike in the app, a character needs no screen cell of its own.
    """
    return _visible(text, _JOINERS + "\n\t")


def visible_line(text: str) -> str:
    """The same for one line, such as with the name of a file: line feeds and tabs in it become symbols, too.

    Such a line is ours: its signs are ASCII where the terminal needs it.
    """
    return TERMINAL.shown(_visible(text, _JOINERS))


def excerpt(text: str, most: int) -> str:
    """A piece of text for a line: line feeds as a symbol, cut to `most` characters."""
    shown = joined(text).replace("\n", "⏎")
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _visible(text: str, harmless: str) -> str:
    if text.isprintable():
        return text
    from charrnn_tui.tui.textview.visible import visible  # builds on Rich's table of widths

    return "".join(visible(char) if _is_control(char) and char not in harmless else char for char in text)


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in _CONTROLS


def utf8(text: str) -> bytes:
    """Characters as UTF-8; bytes of file names that Python has read as surrogates are written as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other lone surrogates have no bytes in UTF-8
        return text.encode("utf-8", "backslashreplace")


def to_json_text(values: Any) -> str:
    """One line of JSON: NaN and infinity are null, control characters and surrogates are escapes."""
    finite = json.loads(json.dumps(values), parse_constant=lambda name: None)
    text = json.dumps(finite, ensure_ascii=False)
    return (
        text if text.isprintable() else "".join(json.dumps(char)[1:-1] if _is_control(char) else char for char in text)
    )


def discard(stream: IO[str] | None) -> None:
    """Point a stream at the null device, so that the last flush at exit cannot fail."""
    if stream is not None:
        with suppress(OSError, ValueError):  # not a real file: a test's, or closed already
            point_at_nothing([stream.fileno()])


def point_at_nothing(descriptors: list[int]) -> None:
    """Point descriptors at the null device: a lost terminal would block or fail, or return from each read at once."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)
