"""What a model does on a text: how far back it remembers, its gates, where it is surprised; how a run has learned.

Each function blocks for seconds to minutes. report: called with what is being done; may raise, which ends it. All raise
ValueError, one line, where the text or the models are not there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.gates import GateShares, gate_shares
from charrnn_tui.analysis.learning import Learning
from charrnn_tui.analysis.memory import ContextLoss, MemoryStudy
from charrnn_tui.analysis.reading import ReadBlock, read_blocks
from charrnn_tui.analysis.surprise import Surprise, SurpriseReading
from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.studied import Report, Subject, network_of, run_beginning
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.scoring import sequence_losses
from charrnn_tui.text.vocabulary import Ids

LEARNING_CHARS: Final = 5000  # read by each model of the run's history
MEMORY_CHARS: Final = 20_000
GATES_CHARS: Final = 50_000
SURPRISE_CHARS: Final = 20_000


@dataclass(frozen=True)
class MemoryFound:
    """source: what was read. whole: its loss in one pass, nats/char."""

    source: str
    whole: float
    contexts: Sequence[ContextLoss]


@dataclass(frozen=True)
class GatesFound:
    """source: what was read."""

    source: str
    shares: Sequence[GateShares]


@dataclass(frozen=True)
class SurpriseFound:
    """source: what was read. tokens: the model's alphabet."""

    source: str
    tokens: Sequence[str]
    surprise: Surprise


def study_learning(run: RunDirectory, backend: Backend, report: Report) -> Learning:
    """The losses of the first LEARNING_CHARS under each model of the run's history."""
    kept = kept_checkpoints(run.path)
    if len(kept) < 2:
        raise ValueError(f"{run.name} keeps no models of earlier steps: train with --keep-checkpoints 24")
    text = run_beginning(run, backend, LEARNING_CHARS, report)
    steps, losses = list[int](), list[NDArray[np.float32]]()
    for number, (step, file) in enumerate(kept, 1):
        try:
            checkpoint = backend.open_checkpoint(file)
        except CheckpointError:
            if file.exists():
                raise
            continue  # the run is in training, and has thinned its history out
        doing = f"reading {len(text):,} characters: model {number} of {len(kept)}"
        ids = checkpoint.vocabulary.encode(text)
        losses.append(
            np.concatenate(list(_losses(network_of(checkpoint, file), ids, doing, report))).astype(np.float32)
        )
        steps.append(step)
    return Learning(text, steps, np.stack(losses))


def study_memory(subject: Subject, report: Report) -> MemoryFound:
    """How the loss of the first MEMORY_CHARS falls with the number of characters that the model has seen."""
    studied, read = subject.open(MEMORY_CHARS, report), 0
    study = MemoryStudy(studied.model, studied.ids)
    for characters in study.run():
        read += characters
        report(f"reading: {read / study.length:.0%}")
    return MemoryFound(studied.source, study.whole, study.losses)


def study_surprise(subject: Subject, report: Report, *, of_training: bool) -> SurpriseFound:
    """Where the first SURPRISE_CHARS surprise the model."""
    studied, read = subject.open(SURPRISE_CHARS, report, of_training=of_training), 0
    reading = SurpriseReading(studied.model, studied.ids, studied.vocabulary.decode(studied.ids))
    for characters in reading.run():
        read += characters
        report(f"reading: {read / len(studied.ids):.0%}")
    return SurpriseFound(studied.source, studied.vocabulary.tokens, reading.found)


def study_gates(subject: Subject, report: Report) -> GatesFound:
    """How often the gates of the model are closed or open in the first GATES_CHARS."""
    studied = subject.open(GATES_CHARS, report)
    ids, names = studied.ids, studied.model.cell.gate_names
    if not names:
        raise ValueError(f"{studied.name}: its model is a plain RNN, which has no gates")

    def reported(blocks: Iterable[ReadBlock]) -> Iterator[ReadBlock]:
        for block in blocks:
            yield block
            report(f"reading: {block.read / len(ids):.0%}")

    shares = gate_shares(reported(read_blocks(studied.model, ids, gates=True)), names)
    return GatesFound(studied.source, shares)


def _losses(model: CharModel, ids: Ids, doing: str, report: Report) -> Iterator[NDArray[np.float64]]:
    report(doing)
    model.wait_for_compiled_code()
    for piece in sequence_losses(model, ids):
        yield piece
        report(doing)
