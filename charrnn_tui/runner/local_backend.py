"""The app's backend on this machine. What training needs is imported when a training is asked for."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn_tui.run.directory import list_runs
from charrnn_tui.runner import shipped_model

if TYPE_CHECKING:
    from charrnn_tui.checkpoint.checkpoint import Checkpoint
    from charrnn_tui.run.control import Control
    from charrnn_tui.run.directory import RunDirectory
    from charrnn_tui.run.events import Event
    from charrnn_tui.run.settings import RunRequest
    from charrnn_tui.text.corpus import Corpus


@dataclass(frozen=True)
class LocalBackend:
    """Files and trainings of this machine; satisfies playground.backend.Backend."""

    runs_directory: Path

    def read_corpus(self, paths: Sequence[str], encoding: str) -> Corpus:
        """See playground.backend.Backend."""
        from charrnn_tui.text.corpus import load_corpus
        from charrnn_tui.text.ids_cache import TEXTS
        from charrnn_tui.text.text_file import CorpusError

        for path in paths:  # whose end may never come, and who can be read once only
            if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
                raise CorpusError(f"{path}: is a pipe or a device, and no file; charrnn-tui train reads it")
        return load_corpus(paths, encoding, self.runs_directory / TEXTS)

    def start_run(self, request: RunRequest, control: Control) -> tuple[RunDirectory, Generator[Event, None, None]]:
        """See playground.backend.Backend."""
        from charrnn_tui.runner import start

        return start.start_run(request, self.runs_directory, control)

    def resume_run(
        self, run: RunDirectory, control: Control, changes: Mapping[str, Any]
    ) -> tuple[RunDirectory, Generator[Event, None, None]]:
        """See playground.backend.Backend."""
        from charrnn_tui.runner import resume

        return resume.resume_run(run, control, changes)

    def detach_run(self, run: RunDirectory) -> None:
        """See playground.backend.Backend."""
        from charrnn_tui.runner import resume

        resume.detach_run(run)

    def open_checkpoint(self, path: Path) -> Checkpoint:
        """See playground.backend.Backend."""
        from charrnn_tui.runner.find_model import open_checkpoint  # NumPy: the first frame is there before it

        return open_checkpoint(path)

    def runs(self) -> list[RunDirectory]:
        """See playground.backend.Backend."""
        return list_runs(self.runs_directory)

    def shipped_checkpoint(self) -> Path | None:
        """See playground.backend.Backend."""
        return shipped_model.shipped_checkpoint()
