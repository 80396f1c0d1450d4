"""What the app is given: everything outside the screen. Tests hand it a scripted one."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from charrnn_tui.checkpoint.checkpoint import Checkpoint, Facts
    from charrnn_tui.run.control import Control
    from charrnn_tui.run.directory import RunDirectory
    from charrnn_tui.run.events import Event
    from charrnn_tui.run.settings import RunRequest
    from charrnn_tui.text.corpus import Corpus
    from charrnn_tui.text.text_settings import TextSettings


class Backend(Protocol):
    """Every error that a user can cause is a ValueError whose message is one line for the screen."""

    @property
    def runs_directory(self) -> Path:
        """Where new runs are made."""

    def read_corpus(self, paths: Sequence[str], settings: TextSettings) -> Corpus:
        """The text as a training would see it. Blocks while it reads."""

    def start_run(self, request: RunRequest, control: Control) -> tuple[RunDirectory, Generator[Event, None, None]]:
        """A new run's directory and the stream that trains it; blocks while the text is read."""

    def resume_run(
        self, run: RunDirectory, control: Control, changes: Mapping[str, Any]
    ) -> tuple[RunDirectory, Generator[Event, None, None]]:
        """The stream that goes on with a run where it ended; `changes`: settings that are new, such as `lr`."""

    def detach_run(self, run: RunDirectory) -> None:
        """Let a process without a terminal take over from the trainer in this one. Blocks until it has."""

    def open_checkpoint(self, path: Path) -> Checkpoint:
        """A checkpoint file of either format. Blocks while it reads."""

    def checkpoint_facts(self, path: Path) -> Facts:
        """The facts of a `.safetensors` file and its model's sizes, without its weights."""

    def runs(self) -> list[RunDirectory]:
        """All runs, the newest first."""

    def default_checkpoint(self) -> Path | None:
        """The model to open where none is named."""

    def shipped_checkpoints(self) -> list[Path]:
        """The models that come with the program."""
