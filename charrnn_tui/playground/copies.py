"""What of a written text stands word for word in the text that its model was trained on, found in the background."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.copied import Passage, covered, passages
from charrnn_tui.analysis.text_index import LONGEST, TextIndex, index_text
from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.playground.training_text import TrainingText, held_out_share, training_text
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.text.array_cache import TEXTS
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.vocabulary import Ids

LEVELS: Final = (16, 24, 48)
"""Characters of a passage that counts as copied, and of longer ones."""
HELD_OUT_MOST: Final = 50_000  # characters of the held-out text, for what is usual: half a second
_OTHER_WAY: Final = "charrnn-tui copied --training FILE takes any"
_COPIES: Final = "copies"  # key of the job


@dataclass(frozen=True, eq=False)
class _Training:
    """The text of a model. val_frac: the share of it that was held out. index: of the part that it was trained on.

    usual: of the held-out text the share that is in passages of LEVELS[0]; None if nothing was held out.
    """

    named: TrainingText
    val_frac: float
    corpus: Corpus
    index: TextIndex
    usual: float | None


@dataclass(frozen=True, eq=False)
class Copied:
    """What is known of the first characters of a text. All positions are of written characters.

    lengths, sources: as `TextIndex.longest_match` returns them. levels: of each character how many of LEVELS the
    passage has that it is in. passages: of at least LEVELS[0] characters, in their order.
    """

    text: GeneratedText
    training: _Training
    lengths: NDArray[np.int32]
    sources: NDArray[np.int32]
    levels: NDArray[np.int8]
    passages: tuple[Passage, ...]

    @property
    def share(self) -> float:
        """Of the written characters, those that are in a passage."""
        return float((self.levels > 0).mean()) if len(self.levels) else 0.0

    @property
    def usual(self) -> float | None:
        """The share of the held-out text; None if nothing was held out."""
        return self.training.usual

    @property
    def longest(self) -> int:
        return max((each.end - each.begin for each in self.passages), default=0)

    def passage_at(self, position: int) -> Passage | None:
        """The one that a character is in."""
        return next((each for each in self.passages if each.begin <= position < each.end), None)

    def place_of(self, passage: Passage) -> tuple[int, int]:
        """Line and character of its source, both counted from 1."""
        corpus = self.training.corpus
        line_feed = corpus.vocabulary.index.get("\n", len(corpus.vocabulary))
        feeds = np.flatnonzero(corpus.ids[: passage.source] == line_feed)
        return len(feeds) + 1, passage.source - (int(feeds[-1]) if len(feeds) else -1)

    @property
    def name(self) -> str:
        """Of the training text."""
        changed = "" if self.training.named.is_now(self.training.corpus) else " (changed since)"
        return self.training.named.name + changed


class Copies:
    """Reads and indexes the training text once for each model that is asked about, and follows a growing text."""

    def __init__(
        self, jobs: Jobs, backend: Backend, changed: Callable[[int, int], None], failed: Callable[[str], None]
    ) -> None:
        """changed: called with the characters [start, end) of prime and text of which more is known.

        failed: called once for each model whose text is not found, with a line that says how to name it.
        """
        self._jobs, self._backend, self._changed, self._failed = jobs, backend, changed, failed
        self._training: _Training | None = None
        self._model: LoadedModel | None = None  # of the training text, or of which there is none
        self._copied: Copied | None = None
        self._next: tuple[LoadedModel, GeneratedText] | None = None  # asked for meanwhile
        self.problem = ""
        """Why nothing is known of the model that was asked about."""

    def of(self, text: GeneratedText) -> Copied | None:
        """What is known of this text."""
        return self._copied if self._copied is not None and self._copied.text is text else None

    def ask(self, model: LoadedModel, text: GeneratedText) -> None:
        """Find what is not known yet of this text, by this model; at once, or when what is asked already is done."""
        known = self.of(text)
        self._next = None
        if self._jobs.pending(_COPIES):
            self._next = model, text
            return
        if model is self._model and self.problem:
            return
        if model is self._model and known is not None and len(known.levels) == len(text):
            return
        training = self._training if model is self._model else None
        start = max(0, len(known.levels) - LONGEST) if known is not None and training is not None else 0
        ids, kept, before = text.ids[start:], self._training, known if start else None

        def work(token: CancelToken) -> Copied:
            found = training or _training_of(model, self._backend, kept, token)
            return _copied(text, found, ids, before, start, token)

        self._model, self.problem = model, ""
        self._jobs.submit(_COPIES, work, lambda copied: self._came(copied, start), self._fail)

    def forget(self) -> None:
        """Drop what is being computed. The index stays."""
        self._jobs.cancel(_COPIES)
        self._copied = self._next = None
        if self._training is None:
            self._model = None

    def _came(self, copied: Copied, start: int) -> None:
        self._training, self._copied = copied.training, copied
        primed = len(copied.text.prime)
        self._changed(primed + start, primed + len(copied.levels))
        if self._next is not None:
            self.ask(*self._next)

    def _fail(self, error: ValueError) -> None:
        self._training, self._copied, self.problem = None, None, f"{error}; {_OTHER_WAY}"
        self._failed(self.problem)
        if self._next is not None:
            self.ask(*self._next)


def _training_of(model: LoadedModel, backend: Backend, kept: _Training | None, token: CancelToken) -> _Training:
    """Raises ValueError, one line, where it is not found."""
    named, val_frac = training_text(model, backend), held_out_share(model)
    if kept is not None and (kept.named, kept.val_frac) == (named, val_frac):
        return kept
    corpus = named.read(backend)
    trained, held_out = corpus.split(val_frac)
    index = index_text(trained, backend.runs_directory / TEXTS, token.check)
    lengths, _ = index.longest_match(held_out[:HELD_OUT_MOST], LEVELS[0], token.check)
    usual = float(covered(lengths, LEVELS[0]).mean()) if len(lengths) else None
    return _Training(named, val_frac, corpus, index, usual)


def _copied(
    text: GeneratedText, training: _Training, ids: "array[int]", before: Copied | None, start: int, token: CancelToken
) -> Copied:
    """ids: of the written characters from `start` on; the ones in front are known from `before`."""
    new = training.corpus.vocabulary.encode_marked(text.vocabulary.decode(ids))
    lengths, sources = training.index.longest_match(new, check=token.check)
    written: Ids = new
    if before is not None:
        lengths = np.concatenate([before.lengths[:start], lengths])
        sources = np.concatenate([before.sources[:start], sources])
        written = training.corpus.vocabulary.encode_marked(text.vocabulary.decode(text.ids[: start + len(new)]))
    levels = np.zeros(len(lengths), np.int8)
    for least in LEVELS:
        levels += covered(lengths, least)
    listed = passages(written, training.index.ids, (lengths, sources), LEVELS[0])
    return Copied(text, training, lengths, sources, levels, tuple(sorted(listed, key=lambda each: each.begin)))
