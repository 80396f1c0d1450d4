"""Primes that nobody types: the end of a file, a line of the text that a model has learned from."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.run.directory import RunDirectory, is_run
from charrnn_tui.text.corpus import read_text
from charrnn_tui.text.lines import Lines

PRIME_MOST: Final = 20_000  # characters: four seconds of reading with 2×512 units, and far more than a state remembers
OTHER_WAY: Final = "F2 takes a prime from a file"


@dataclass(frozen=True)
class FoundPrime:
    """A prime and a line that says where it comes from."""

    prime: str
    words: str


def prime_from_file(path: str, encoding: str) -> FoundPrime:
    """A file's text, or its end where it is long. Blocks while it reads. Raises ValueError, one line."""
    file = Path(os.path.expanduser(path))  # where there is no such user, a name like any other
    if os.path.exists(file) and not (os.path.isfile(file) or os.path.isdir(file)):
        raise ValueError(f"{file}: is a pipe or a device, and no file")  # whose end may never come
    return _ending(read_text(file, encoding), file.name)


def _ending(text: str, name: str) -> FoundPrime:
    if len(text) > PRIME_MOST:
        return FoundPrime(text[-PRIME_MOST:], f"the last {PRIME_MOST:,} of {len(text):,} characters of {name}")
    return FoundPrime(text, f"{len(text):,} characters of {name}" if text else f"{name} is empty: a new line begins")


@dataclass(frozen=True)
class TrainingText:
    """Where the text that a model has learned from should be, and what it was then."""

    files: tuple[Path, ...]
    encoding: str
    sha256: str | None

    @property
    def name(self) -> str:
        return self.files[0].name + (f" and {len(self.files) - 1} more" if len(self.files) > 1 else "")


def learned_text(model: LoadedModel, backend: Backend) -> TrainingText:
    """As the run's settings tell, or else by the name that the checkpoint knows. Raises ValueError, one line."""
    facts, source = model.facts, model.source
    run = _run_of(model, backend)
    settings = {} if run is None else run.read_settings()
    files = settings.get("corpus")
    if isinstance(files, list) and files and all(isinstance(file, str) for file in files):
        paths = tuple(Path(file) for file in files)
        missing = next((path for path in paths if not path.is_file()), None)
        if missing is not None:
            raise ValueError(f"the text of {source.label} is no longer there: {missing}; {OTHER_WAY}")
        return TrainingText(paths, _encoding(settings), _text(settings.get("corpus_sha256")))
    name = _text(facts.get("corpus"))
    if name is None or os.path.basename(name) != name:
        raise ValueError(f"{source.label} does not say which text it has learned from; {OTHER_WAY}")
    places = [folder / f"{name}.txt" for folder in (Path.cwd(), source.file.parent)]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise ValueError(
            f"the text of {source.label} is not here: put {name}.txt into {places[0].parent}, or {OTHER_WAY}"
        )
    return TrainingText((found,), _encoding(facts), _text(facts.get("corpus_sha256")))


def _run_of(model: LoadedModel, backend: Backend) -> RunDirectory | None:
    """The run that made it, where that is still there and is the same one."""
    source, facts = model.source, model.facts
    if source.run is not None:
        return RunDirectory(source.run)
    if is_run(source.path.parent):
        return RunDirectory(source.path.parent)
    same_name = [run for run in backend.runs() if run.name == facts.get("run")]
    same = [run for run in same_name if run.read_settings().get("corpus_sha256") == facts.get("corpus_sha256")]
    return same[0] if same else None


def _encoding(facts: Mapping[str, Any]) -> str:
    settings = facts.get("settings")
    return (_text(settings.get("encoding")) if isinstance(settings, Mapping) else None) or "utf-8"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


class RandomLinePicker:
    """Random lines of a model's training text, which is read once."""

    def __init__(self) -> None:
        self._kept: tuple[object, Lines, str] | None = None  # (the files as they were, their lines, their SHA-256)

    def draw(self, model: LoadedModel, backend: Backend, seed: int) -> FoundPrime:
        """A random line that is not blank. Blocks while it reads. Raises ValueError, one line."""
        try:
            text = learned_text(model, backend)
            lines, sha256 = self._lines(text, backend)
        except OSError as error:  # a directory that is closed to us, a file that went a moment ago
            raise ValueError(f"{error.filename}: cannot be read: {error.strerror or error}") from None
        number = lines.draw(seed)
        if number is None:
            raise ValueError(f"{text.name}: every line is blank")
        line = _ending(lines.line(number), f"line {number + 1:,}")
        words = f"{line.words.removeprefix(f'{len(line.prime):,} characters of ')} of {len(lines):,} of {text.name}"
        if text.sha256 not in (None, sha256):
            words += f", which has changed since: its SHA-256 was {text.sha256[:8]}…, is {sha256[:8]}…"
        return FoundPrime(line.prime, words)

    def _lines(self, text: TrainingText, backend: Backend) -> tuple[Lines, str]:
        looks = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in text.files]
        if self._kept is None or self._kept[0] != (looks, text.encoding):
            corpus = backend.read_corpus([str(path) for path in text.files], text.encoding)
            self._kept = ((looks, text.encoding), Lines(corpus.ids, corpus.vocabulary), corpus.sha256)
        return self._kept[1], self._kept[2]
