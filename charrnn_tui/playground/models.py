"""Where the playground's model comes from, and the model ready to write."""

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError, Facts
from charrnn_tui.playground.backend import Backend
from charrnn_tui.run.directory import RunDirectory, find_run, is_run
from charrnn_tui.run.files import file_sha256
from charrnn_tui.run.kept_checkpoints import run_of_kept, step_of_kept
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.prime_reader import PrimeReader
from charrnn_tui.text.vocabulary import Vocabulary

SHIPPED_PRIMES: Final = {"anna": "Anna", "python": "def "}
Kind = Literal["shipped", "file", "best", "last", "live", "kept"]


@dataclass(frozen=True)
class ModelSource:
    """A choice of model. path: the file; for best, last and live the run's directory."""

    kind: Kind
    path: Path
    moment: int = 0
    """Of live weights that are to stay as they were: which of them; 0 for those that are renewed."""

    @property
    def label(self) -> str:
        """What to call it before it is open."""
        match self.kind:
            case "shipped":
                return f"{self.path.stem} (shipped)"
            case "file":
                return self.path.name
            case "kept":
                return f"{self.path.parent.parent.name} · step {step_of_kept(self.path):,}"
        return f"{self.path.name} · {self.kind}"

    @property
    def run(self) -> Path | None:
        """The directory of the run that it is of."""
        return self.path if self.kind in ("best", "last", "live") else run_of_kept(self.path)

    @property
    def file(self) -> Path:
        """What to open; the live weights of a run have no file, its last checkpoint comes nearest."""
        match self.kind:
            case "best":
                return RunDirectory(self.path).best_file
            case "last" | "live":
                return RunDirectory(self.path).last_file
        return self.path


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model that can write. title: of the playground, such as `anna (shipped) 2×512 val 1.28`."""

    source: ModelSource
    network: CharModel
    vocabulary: Vocabulary
    title: str
    step: int | None
    sha256: str = ""
    """Of its file; empty where no file holds these weights."""
    facts: Facts = field(default_factory=lambda: Facts())
    """The facts in its file, which another program may have written."""

    @cached_property
    def reader(self) -> PrimeReader:
        """Reads primes; the beginning that a prime shares with the one before is not read again."""
        return PrimeReader(self.network, self.vocabulary)

    @property
    def suggested_prime(self) -> str:
        """The prime where the user has typed none; the empty one is read as a line break."""
        return SHIPPED_PRIMES.get(self.source.path.stem, "") if self.source.kind == "shipped" else ""


def source_of(reference: str | Path, backend: Backend) -> ModelSource:
    """The model a user means: a run by its name or directory, or else a file, as what the program knows it."""
    path = Path(os.path.expanduser(reference))  # where there is no such user, a name like any other
    if path in backend.shipped_checkpoints():
        return ModelSource("shipped", path)
    run = find_run(backend.runs_directory, str(path))
    if run is not None:
        return ModelSource("best" if run.checkpoint_file() == run.best_file else "last", run.path)
    if is_run(path.parent) and path.stem in ("best", "last"):
        return ModelSource("best" if path.stem == "best" else "last", path.parent)
    return ModelSource("kept", path.resolve()) if run_of_kept(path) else ModelSource("file", path)


def load_model(source: ModelSource, backend: Backend) -> LoadedModel:
    """Open it. Blocks while it reads. Raises ValueError, one line."""
    file = source.file
    before = _stamp(file)
    model = prepare_model(source, backend.open_checkpoint(file))
    sha256 = file_sha256(file) if before else ""
    return replace(model, sha256=sha256) if before == _stamp(file) else model


def _stamp(file: Path) -> tuple[int, int] | None:
    """What another file of the same name would not share: a training replaces its own at any time."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def prepare_model(source: ModelSource, checkpoint: Checkpoint) -> LoadedModel:
    """A checkpoint's weights in the order in which they write fastest: some 50 ms. Raises ValueError, one line."""
    try:
        network = CharModel(checkpoint)
    except ValueError as error:
        raise CheckpointError(f"{source.label}: {error}") from None
    facts = described(checkpoint)
    step = facts.get("step")
    at = f" @ step {step:,}" if source.kind == "live" and step is not None else ""
    title = f"{source.label}{at} {figures_of(facts)}"
    return LoadedModel(source, network, checkpoint.vocabulary, title, step, facts=facts)


def described(checkpoint: Checkpoint) -> Facts:
    """The facts of a checkpoint and its sizes, which those of a `.net` file lack."""
    return Facts(**{**checkpoint.facts, "n_layers": checkpoint.n_layers, "n_hidden": checkpoint.n_hidden})


def figures_of(facts: Facts) -> str:
    """Such as `2×512 · val 1.197 nats/char, 128×100`: the sizes, and the loss with the geometry of its batches."""
    figures = [f"{facts['n_layers']}×{facts['n_hidden']}"] if "n_layers" in facts and "n_hidden" in facts else []
    if (val_loss := facts.get("val_loss")) is not None:
        batch_size, seq_length = facts.get("batch_size"), facts.get("seq_length")
        geometry = f", {batch_size}×{seq_length}" if batch_size and seq_length else ""
        figures.append(f"val {val_loss:.3f} nats/char{geometry}")
    return " · ".join(figures)
