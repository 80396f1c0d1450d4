"""The models of a run on its validation part: how they learned it, how far back the best one remembers, its gates.

Each function blocks for seconds to minutes. report: called with what is being done; may raise, which ends it. All raise
ValueError, one line, where the text or the models are not there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.gates import GateShares, gate_shares
from charrnn_tui.analysis.learning import Learning
from charrnn_tui.analysis.memory import ContextLoss, MemoryStudy
from charrnn_tui.analysis.reading import ReadBlock, read_blocks
from charrnn_tui.analysis.surprise import Surprise, SurpriseReading
from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError
from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.run_text import read_run_text
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.scoring import sequence_losses
from charrnn_tui.text.vocabulary import Ids

LEARNING_CHARS: Final = 5000  # read by each model of the run's history
MEMORY_CHARS: Final = 20_000
GATES_CHARS: Final = 50_000
SURPRISE_CHARS: Final = 20_000

Report = Callable[[str], None]


@dataclass(frozen=True)
class MemoryFound:
    """step: of the model. whole: its loss on `chars` characters in one pass, nats/char."""

    step: int | None
    chars: int
    whole: float
    contexts: Sequence[ContextLoss]


@dataclass(frozen=True)
class GatesFound:
    """step: of the model. chars: how many it has read."""

    step: int | None
    chars: int
    shares: Sequence[GateShares]


@dataclass(frozen=True)
class SurpriseFound:
    """step: of the model. tokens: its alphabet."""

    step: int | None
    tokens: Sequence[str]
    surprise: Surprise


def study_learning(run: RunDirectory, backend: Backend, report: Report) -> Learning:
    """The losses of the first LEARNING_CHARS under each model of the run's history."""
    kept = kept_checkpoints(run.path)
    if len(kept) < 2:
        raise ValueError(f"{run.name} keeps no models of earlier steps: train with --keep-checkpoints 24")
    text = _beginning(run, backend, LEARNING_CHARS, report)
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
        losses.append(np.concatenate(list(_losses(_network(checkpoint, file), ids, doing, report))).astype(np.float32))
        steps.append(step)
    return Learning(text, steps, np.stack(losses))


def study_memory(run: RunDirectory, backend: Backend, report: Report) -> MemoryFound:
    """How the loss of the first MEMORY_CHARS falls with the number of characters that the best model has seen."""
    model, ids, checkpoint = _best_model(run, backend, MEMORY_CHARS, report)
    study, read = MemoryStudy(model, ids), 0
    for characters in study.run():
        read += characters
        report(f"reading: {read / study.length:.0%}")
    return MemoryFound(checkpoint.facts.get("step"), len(ids), study.whole, study.losses)


def study_surprise(run: RunDirectory, backend: Backend, report: Report, *, of_training: bool) -> SurpriseFound:
    """Where the first SURPRISE_CHARS of the validation part, or of the training part, surprise the best model."""
    model, ids, checkpoint = _best_model(run, backend, SURPRISE_CHARS, report, of_training=of_training)
    vocabulary, read = checkpoint.vocabulary, 0
    reading = SurpriseReading(model, ids, vocabulary.decode(ids))
    for characters in reading.run():
        read += characters
        report(f"reading: {read / len(ids):.0%}")
    return SurpriseFound(checkpoint.facts.get("step"), vocabulary.tokens, reading.found)


def study_gates(run: RunDirectory, backend: Backend, report: Report) -> GatesFound:
    """How often the gates of the best model are closed or open in the first GATES_CHARS."""
    model, ids, checkpoint = _best_model(run, backend, GATES_CHARS, report)
    names = model.cell.gate_names
    if not names:
        raise ValueError(f"the model of {run.name} is a plain RNN, which has no gates")

    def reported(blocks: Iterable[ReadBlock]) -> Iterator[ReadBlock]:
        for block in blocks:
            yield block
            report(f"reading: {block.read / len(ids):.0%}")

    shares = gate_shares(reported(read_blocks(model, ids, gates=True)), names)
    return GatesFound(checkpoint.facts.get("step"), len(ids), shares)


def _best_model(
    run: RunDirectory, backend: Backend, chars: int, report: Report, *, of_training: bool = False
) -> tuple[CharModel, Ids, Checkpoint]:
    """The model, the beginning of the validation or of the training part, and the model's checkpoint."""
    file = run.checkpoint_file()
    if file is None:
        raise ValueError(f"{run.name} has saved no model yet")
    text = _beginning(run, backend, chars, report, of_training=of_training)
    checkpoint = backend.open_checkpoint(file)
    model = _network(checkpoint, file)
    model.wait_for_compiled_code()
    return model, checkpoint.vocabulary.encode(text), checkpoint


def _network(checkpoint: Checkpoint, file: Path) -> CharModel:
    try:
        return CharModel(checkpoint)
    except ValueError as error:  # weights that are not finite
        raise CheckpointError(f"{file}: {error}") from None


def _beginning(run: RunDirectory, backend: Backend, chars: int, report: Report, *, of_training: bool = False) -> str:
    """Of the validation part, or of the training part."""
    report("reading the text")
    text = read_run_text(run, backend)
    return text.vocabulary.decode((text.train if of_training else text.held_out)[:chars])


def _losses(model: CharModel, ids: Ids, doing: str, report: Report) -> Iterator[NDArray[np.float64]]:
    report(doing)
    model.wait_for_compiled_code()
    for piece in sequence_losses(model, ids):
        yield piece
        report(doing)
