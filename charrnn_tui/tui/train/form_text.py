"""The text that a form names: read in the background, and described in a line or two."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.summary import TextSummary, summarize
from charrnn_tui.text.text_names import NamedTexts, files_of
from charrnn_tui.text.text_settings import TextSettings

_READ = "read the text of the form"  # the key of the job


@dataclass(frozen=True)
class ReadText:
    """A text and its summary. settings: how it was read. named: its files."""

    corpus: Corpus
    summary: TextSummary
    settings: TextSettings
    named: NamedTexts

    def lines(self) -> Iterator[tuple[str, ...]]:
        """A label and what is said of the text, the most important first."""
        corpus, summary = self.corpus, self.summary
        tokens = len(corpus.vocabulary)
        yield (
            "text",
            f"{len(corpus):,} characters",
            f"{tokens} different",
            f"{summary.line_feeds:,} line{'' if summary.line_feeds == 1 else 's'}",
            *([f"{len(self.named.files):,} files"] if len(self.named.files) > 1 else []),
            f"uniform guessing: {math.log(tokens):.2f} nats/char",
        )
        if found := summary.boilerplate:
            ends = TextSettings(skip_head=found.head, skip_tail=found.tail).said.removeprefix("without ")
            yield ("licence", f"{ends}; F4 leaves them out")
        elif said := self.settings.said:
            yield ("", said)


class FormText:
    """Reads the text that is named last; what was read, or why it cannot be, is there once `changed` is called."""

    def __init__(self, backend: Backend, jobs: Jobs, changed: Callable[[], None]) -> None:
        self._backend, self._jobs, self._changed = backend, jobs, changed
        self.read: ReadText | None = None
        self.problem = ""

    def forget(self) -> None:
        """Another text is being named."""
        self.read, self.problem = None, ""
        self._jobs.cancel(_READ)

    def begin(self, path: str, settings: TextSettings) -> None:
        """Read a text. path: as `files_of` takes it."""

        def read(token: CancelToken) -> ReadText:
            try:
                named = files_of([path], settings.encoding)
                corpus = self._backend.read_corpus(named.files, settings)
                token.check()
                return ReadText(corpus, summarize(corpus), settings, named)
            except MemoryError:
                raise ValueError("the text does not fit into memory") from None

        self._jobs.submit(_READ, read, self._done, lambda error: self._done(None, str(error)))

    def _done(self, read: ReadText | None, problem: str = "") -> None:
        self.read, self.problem = read, problem
        self._changed()
