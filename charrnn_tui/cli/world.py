"""The real world of the app. What it needs for training is imported when a training is asked for: first the screen."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn_tui.cli import choosing
from charrnn_tui.run.directory import list_runs

if TYPE_CHECKING:
    from charrnn_tui.checkpoint.checkpoint import Checkpoint
    from charrnn_tui.run.control import Control
    from charrnn_tui.run.directory import RunDirectory
    from charrnn_tui.run.events import Event
    from charrnn_tui.run.settings import RunRequest
    from charrnn_tui.text.corpus import Corpus


@dataclass(frozen=True)
class StudioWorld:
    """Files and trainings of this machine; satisfies tui.world.World."""

    runs_directory: Path

    def read_corpus(self, paths: Sequence[str], encoding: str) -> Corpus:
        """See tui.world.World."""
        from charrnn_tui.text.corpus import load_corpus
        from charrnn_tui.text.ids_cache import TEXTS
        from charrnn_tui.text.text_file import CorpusError

        for path in paths:  # whose end may never come, and who can be read once only
            if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
                raise CorpusError(f"{path}: is a pipe or a device, and no file; charrnn-tui train reads it")
        return load_corpus(paths, encoding, self.runs_directory / TEXTS)

    def start_run(self, request: RunRequest, control: Control) -> tuple[RunDirectory, Generator[Event, None, None]]:
        """See tui.world.World."""
        from charrnn_tui.cli import training_run

        return training_run.start_run(request, self.runs_directory, control)

    def resume_run(
        self, run: RunDirectory, control: Control, changes: Mapping[str, Any]
    ) -> tuple[RunDirectory, Generator[Event, None, None]]:
        """See tui.world.World."""
        from charrnn_tui.cli import resumed_run

        return resumed_run.resume_run(run, control, changes)

    def detach_run(self, run: RunDirectory) -> None:
        """See tui.world.World."""
        from charrnn_tui.cli import resumed_run

        resumed_run.detach_run(run)

    def open_checkpoint(self, path: Path) -> Checkpoint:
        """See tui.world.World."""
        from charrnn_tui.cli.opening import open_checkpoint  # NumPy: the first frame is there before it

        return open_checkpoint(path)

    def runs(self) -> list[RunDirectory]:
        """See tui.world.World."""
        return list_runs(self.runs_directory)

    def shipped_checkpoint(self) -> Path | None:
        """See tui.world.World."""
        return choosing.shipped_checkpoint()
