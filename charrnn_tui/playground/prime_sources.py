"""Primes from elsewhere than the keyboard: the end of a file, a random line of the text that a model was trained on."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.run.directory import RunDirectory, is_run
from charrnn_tui.run.settings import StoredRequest
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


@dataclass(frozen=True)
class TrainingText:
    """The files of the text that a model was trained on. sha256: of the text at that time."""

    files: tuple[Path, ...]
    encoding: str
    sha256: str | None

    @property
    def name(self) -> str:
        return self.files[0].name + (f" and {len(self.files) - 1} more" if len(self.files) > 1 else "")


def training_text(model: LoadedModel, backend: Backend) -> TrainingText:
    """The text named in the run's settings, or else in the checkpoint. Raises ValueError, one line, if it is gone."""
    facts, source = model.facts, model.source
    run = _run_of(model, backend)
    request: StoredRequest = {} if run is None else run.read_settings()
    paths = tuple(Path(file) for file in request.get("corpus", []))
    if paths:
        missing = next((path for path in paths if not path.is_file()), None)
        if missing is not None:
            raise ValueError(f"the text of {source.label} is no longer there: {missing}; {_OTHER_WAY}")
        return TrainingText(paths, _encoding(request.get("settings")), request.get("corpus_sha256"))
    name = facts.get("corpus")
    if not name or os.path.basename(name) != name:
        raise ValueError(f"{source.label} does not say which text it was trained on; {_OTHER_WAY}")
    places = [folder / f"{name}.txt" for folder in (Path.cwd(), source.file.parent)]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise ValueError(
            f"the text of {source.label} is not here: put {name}.txt into {places[0].parent}, or {_OTHER_WAY}"
        )
    return TrainingText((found,), _encoding(facts.get("settings")), facts.get("corpus_sha256"))


def _run_of(model: LoadedModel, backend: Backend) -> RunDirectory | None:
    """The run that trained the model, if it still exists."""
    source, facts = model.source, model.facts
    if source.run is not None:
        return RunDirectory(source.run)
    if is_run(source.path.parent):
        return RunDirectory(source.path.parent)
    same_name = [run for run in backend.runs() if run.name == facts.get("run")]
    same = [run for run in same_name if run.read_settings().get("corpus_sha256") == facts.get("corpus_sha256")]
    return same[0] if same else None


def _encoding(settings: Mapping[str, Any] | None) -> str:
    return str((settings or {}).get("encoding") or "utf-8")


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
        return FoundPrime(line[-PRIME_MOST:], origin)

    def _read(self, text: TrainingText, backend: Backend) -> None:
        files = [text.encoding, *((path, path.stat().st_mtime_ns, path.stat().st_size) for path in text.files)]
        if files != self._files:
            corpus = backend.read_corpus([str(path) for path in text.files], text.encoding)
            self._lines, self._sha256 = Lines(corpus.ids, corpus.vocabulary), corpus.sha256
            self._files = files
