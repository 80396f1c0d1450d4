"""Primes from elsewhere than the keyboard: the end of a file, a random line of the text that a model was trained on."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.playground.training_text import TrainingText, training_text
from charrnn_tui.text.byte_text import joined
from charrnn_tui.text.corpus import read_text
from charrnn_tui.text.lines import Lines
from charrnn_tui.text.text_file import refuse_pipe

PRIME_MOST: Final = 20_000  # characters: 2×512 units read them in four seconds, and a state remembers far fewer
_OTHER_WAY: Final = "F2 takes a prime from a file"


@dataclass(frozen=True)
class FoundPrime:
    """A prime and its origin in a few words."""

    prime: str
    origin: str


def prime_from_file(path: str, encoding: str) -> FoundPrime:
    """A file's text, or the last PRIME_MOST characters of it. Blocks while it reads. Raises ValueError, one line."""
    file = Path(os.path.expanduser(path))  # not Path.expanduser, which fails for an unknown user
    refuse_pipe(file)
    text, name = read_text(file, encoding), file.name
    if len(text) > PRIME_MOST:
        return FoundPrime(text[-PRIME_MOST:], f"the last {PRIME_MOST:,} of {len(text):,} characters of {name}")
    origin = f"{len(text):,} characters of {name}" if text else f"{name} is empty: the prime is a new line"
    return FoundPrime(text, origin)


class RandomLinePicker:
    """Draws random lines of the text that a model was trained on; keeps the text for the next draw."""

    def __init__(self) -> None:
        self._files: object = None  # which files the lines were read from, with their times and sizes
        self._lines: Lines
        self._sha256 = ""

    def draw(self, model: LoadedModel, backend: Backend, seed: int) -> FoundPrime:
        """A line drawn with this seed. Blocks while it reads the text. Raises ValueError, one line."""
        try:
            text = training_text(model, backend)
        except ValueError as error:
            raise ValueError(f"{error}; {_OTHER_WAY}") from None
        try:
            self._read(text, backend)
        except OSError as error:  # no permission, or a file that has just been deleted
            raise ValueError(f"{error.filename}: cannot be read: {error.strerror or error}") from None
        number = self._lines.draw(seed)
        if number is None:
            raise ValueError(f"{text.name}: every line is blank")
        line, origin = self._lines.line(number), f"line {number + 1:,} of {len(self._lines):,} of {text.name}"
        if len(line) > PRIME_MOST:
            origin = f"the last {PRIME_MOST:,} of {len(line):,} characters of {origin}"
        if text.sha256 not in (None, self._sha256):
            origin += f", which has changed since: its SHA-256 was {text.sha256[:8]}…, is {self._sha256[:8]}…"
        return FoundPrime(joined(line[-PRIME_MOST:]), origin)

    def _read(self, text: TrainingText, backend: Backend) -> None:
        files = [text.settings, *((path, path.stat().st_mtime_ns, path.stat().st_size) for path in text.files)]
        if files != self._files:
            corpus = text.read(backend)
            self._lines, self._sha256 = Lines(corpus.ids, corpus.vocabulary), corpus.sha256
            self._files = files
