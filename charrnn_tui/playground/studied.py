"""A model and the text that it is studied on: a run's best model, or the one that the playground has loaded.

`open` of both blocks, and raises ValueError, one line, where the text or the model is not there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError
from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.playground.run_text import read_run_text
from charrnn_tui.playground.training_text import held_out_share, training_text
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Ids, Vocabulary

WRITTEN_CHARS: Final = 20_000  # by a model whose text is not found
WRITTEN_SEED: Final = 1
_PIECE: Final = 500  # characters written between two reports

Report = Callable[[str], None]  # called with what is being done; may raise, which ends it


@dataclass(frozen=True, eq=False)
class Studied:
    """What is studied. source: what was read, such as `600 characters of the validation part`."""

    name: str
    model: CharModel
    vocabulary: Vocabulary
    ids: Ids
    source: str


class Subject(Protocol):
    """Something to study."""

    def open(self, chars: int, report: Report, *, of_training: bool = False) -> Studied:
        """With the first `chars` characters of what was held out of the training, or of what was not."""


@dataclass(frozen=True)
class StudiedRun:
    """The best model of a run, on the run's text."""

    run: RunDirectory
    backend: Backend

    def open(self, chars: int, report: Report, *, of_training: bool = False) -> Studied:
        """See Subject."""
        file = self.run.checkpoint_file()
        if file is None:
            raise ValueError(f"{self.run.name} has saved no model yet")
        text = run_beginning(self.run, self.backend, chars, report, of_training=of_training)
        checkpoint = self.backend.open_checkpoint(file)
        model = network_of(checkpoint, file)
        model.wait_for_compiled_code()
        step, part = checkpoint.facts.get("step"), "training" if of_training else "validation"
        of_step = "" if step is None else f", model of step {step:,}"
        source = f"{len(text):,} characters of the {part} part{of_step}"
        return Studied(self.run.name, model, checkpoint.vocabulary, checkpoint.vocabulary.encode(text), source)


class StudiedModel:
    """The playground's model on the text that it was trained on or, where that is not found, on what it writes."""

    def __init__(self, model: LoadedModel, backend: Backend) -> None:
        self.model, self._backend = model, backend
        self._written = ""

    def open(self, chars: int, report: Report, *, of_training: bool = False) -> Studied:
        """See Subject. Raises ValueError where the training part is asked for and not found."""
        model = self.model
        report("looking for the training text")
        try:
            text, source = self._found(chars, of_training)
        except ValueError as error:
            if of_training:
                raise
            text = self._own(report)[:chars]
            source = f"{len(text):,} characters that it has written ({error})"
        model.network.wait_for_compiled_code()
        ids = model.vocabulary.encode(model.vocabulary.known_part(text))
        return Studied(model.source.label, model.network, model.vocabulary, ids, source)

    def _found(self, chars: int, of_training: bool) -> tuple[str, str]:
        """The text, and what to call it. Raises ValueError, one line."""
        if not of_training:
            return held_out_text(self.model, self._backend, chars)
        named = training_text(self.model, self._backend)
        corpus = named.read(self._backend)
        text = corpus.vocabulary.decode(corpus.split(held_out_share(self.model))[0][:chars])
        return text, f"{len(text):,} characters of {named.called(corpus)}, which it was trained on"

    def _own(self, report: Report) -> str:
        """Written once, with the settings of `charrnn-tui sample MODEL --length 20000 --seed 1`."""
        if not self._written:
            model = self.model
            model.network.wait_for_compiled_code()
            prime = model.vocabulary.known_part(model.suggested_prime)
            writing = Sampler(model.network, model.vocabulary, SamplingSettings(), seed=WRITTEN_SEED, prime=prime)
            text = prime
            while len(text) < WRITTEN_CHARS:
                text += "".join(each.character for each in islice(writing, _PIECE))
                report(f"writing a text to read: {min(1.0, len(text) / WRITTEN_CHARS):.0%}")
            self._written = text[:WRITTEN_CHARS]
        return self._written


def held_out_text(model: LoadedModel, backend: Backend, chars: int) -> tuple[str, str]:
    """The first `chars` characters that a model was not trained on, and what to call them.

    Blocks while it reads. Raises ValueError, one line, where the text is not found or nothing of it was held out.
    """
    named = training_text(model, backend)
    corpus = named.read(backend)
    text = corpus.vocabulary.decode(corpus.split(held_out_share(model))[1][:chars])
    if not text:
        raise ValueError(f"nothing of {named.name} was held out of the training")
    return text, f"{len(text):,} characters of {named.called(corpus)}, held out of the training"


def run_beginning(run: RunDirectory, backend: Backend, chars: int, report: Report, *, of_training: bool = False) -> str:
    """The first `chars` characters of a run's validation part, or of its training part. Raises as `read_run_text`."""
    report("reading the text")
    text = read_run_text(run, backend)
    return text.vocabulary.decode((text.train if of_training else text.held_out)[:chars])


def network_of(checkpoint: Checkpoint, file: Path) -> CharModel:
    """Raises CheckpointError, one line, where its weights are not finite."""
    try:
        return CharModel(checkpoint)
    except ValueError as error:
        raise CheckpointError(f"{file}: {error}") from None
