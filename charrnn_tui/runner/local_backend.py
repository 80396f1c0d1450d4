"""The backend of the app: the files and trainings of this machine."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charrnn_tui.checkpoint.checkpoint import Checkpoint, Facts
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint_facts
from charrnn_tui.run.control import Control
from charrnn_tui.run.directory import RunDirectory, list_runs
from charrnn_tui.run.events import Event
from charrnn_tui.run.settings import RunRequest
from charrnn_tui.runner import find_model, remote_run, resume, start
from charrnn_tui.text.array_cache import TEXTS
from charrnn_tui.text.corpus import Corpus, load_corpus
from charrnn_tui.text.text_file import refuse_pipe
from charrnn_tui.text.text_settings import TextSettings


@dataclass(frozen=True)
class LocalBackend:
    """Satisfies playground.backend.Backend, which says what each method does."""

    runs_directory: Path

    def read_corpus(self, paths: Sequence[str], settings: TextSettings) -> Corpus:
        for path in paths:
            refuse_pipe(path)
        return load_corpus(paths, settings, self.runs_directory / TEXTS)

    def start_run(self, request: RunRequest, control: Control) -> tuple[RunDirectory, Generator[Event, None, None]]:
        return start.start_run(request, self.runs_directory, control)

    def resume_run(
        self, run: RunDirectory, control: Control, changes: Mapping[str, Any]
    ) -> tuple[RunDirectory, Generator[Event, None, None]]:
        return resume.resume_run(run, control, changes)

    def detach_run(self, run: RunDirectory) -> None:
        resume.detach_run(run)

    def open_checkpoint(self, path: Path) -> Checkpoint:
        run = RunDirectory(path.parent)
        if path == run.best_file and run.remote_file.exists():
            remote_run.fetch_checkpoint(run)
        return find_model.open_checkpoint(path)

    def checkpoint_facts(self, path: Path) -> Facts:
        return read_checkpoint_facts(path)

    def runs(self) -> list[RunDirectory]:
        return list_runs(self.runs_directory)

    def default_checkpoint(self) -> Path | None:
        return find_model.default_model(self.runs_directory)[0]

    def shipped_checkpoints(self) -> list[Path]:
        return find_model.shipped_checkpoints()
