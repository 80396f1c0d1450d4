"""A backend without a training: tiny random models, a clock that tests move, a run that tests answer for."""

import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError, Facts, tensor_shapes
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.playground.models import described
from charrnn_tui.run.control import Control, ShareWeights
from charrnn_tui.run.directory import RunDirectory, list_runs
from charrnn_tui.run.events import Event
from charrnn_tui.run.settings import RunRequest
from charrnn_tui.text.corpus import Corpus, load_corpus
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.text.vocabulary import Vocabulary

ALPHABET = "\n abcdefgh"


def tiny_checkpoint(alphabet: str = ALPHABET, seed: int = 0, n_hidden: int = 8, **facts: Any) -> Checkpoint:
    """Two layers of eight units, weights large enough that the next character is not the same to it."""
    random = np.random.default_rng(seed)
    shapes = tensor_shapes(len(alphabet), n_hidden, n_layers=2)
    weights = {name: random.normal(0, 0.8, shape).astype(np.float32) for name, shape in shapes.items()}
    return Checkpoint(weights, Vocabulary(alphabet), n_hidden, n_layers=2, facts=facts)


@dataclass
class ScriptedBackend:
    """Satisfies playground.backend.Backend."""

    runs_directory: Path
    checkpoints: dict[Path, Checkpoint] = field(default_factory=dict)
    shipped: Path | None = None

    def read_corpus(self, paths: Sequence[str], settings: TextSettings) -> Corpus:
        return load_corpus(paths, settings)

    def start_run(self, request: RunRequest, control: Control) -> tuple[RunDirectory, Generator[Event, None, None]]:
        raise NotImplementedError

    def open_checkpoint(self, path: Path) -> Checkpoint:
        if path not in self.checkpoints:
            raise CheckpointError(f"{path}: no such file")
        return self.checkpoints[path]

    def checkpoint_facts(self, path: Path) -> Facts:
        return described(self.open_checkpoint(path))

    def runs(self) -> list[RunDirectory]:
        return list_runs(self.runs_directory)

    def default_checkpoint(self) -> Path | None:
        return next((run.best_file for run in self.runs() if run.best_file.exists()), self.shipped)

    def shipped_checkpoints(self) -> list[Path]:
        return [] if self.shipped is None else [self.shipped]

    def ship(self, checkpoint: Checkpoint, path: Path = Path("tiny.safetensors")) -> Path:
        """Put a model in the box."""
        self.checkpoints[path] = checkpoint
        self.shipped = path
        return path

    def put(self, path: Path, checkpoint: Checkpoint) -> Path:
        """A model that lies on the disk, too."""
        write_checkpoint(path, checkpoint)
        self.checkpoints[path] = checkpoint
        return path

    def add_run(self, name: str, checkpoint: Checkpoint) -> RunDirectory:
        """A run with a best checkpoint."""
        run = RunDirectory(self.runs_directory / name)
        run.path.mkdir(parents=True)
        run.events_file.touch()
        run.best_file.touch()
        self.checkpoints[run.best_file] = checkpoint
        return run


@dataclass
class ScriptedRun:
    """Stands for an ActiveRun: the test is its trainer."""

    directory: RunDirectory
    control: Control = field(default_factory=Control)
    done: bool = False

    def answer(self, checkpoint: Checkpoint) -> bool:
        """Serve one request for weights as the trainer's thread would; whether there was one."""
        request = self.control.take()
        if not isinstance(request, ShareWeights):
            return False
        trainer = threading.Thread(target=request.deliver, args=[checkpoint])
        trainer.start()
        trainer.join()
        return True


@dataclass
class Clock:
    """Seconds, moved by the test."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now
