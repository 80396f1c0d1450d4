"""Requests of the screens to the app."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.settings import RunRequest


@dataclass
class StartRun(Message):
    """Start this run."""

    request: RunRequest


@dataclass
class ResumeRun(Message):
    """Resume this run from where it ended."""

    run: RunDirectory
    progress: RunProgress


@dataclass
class DetachRun(Message):
    """Hand the training of this process over to another one without a terminal, and quit."""


@dataclass
class OpenRun(Message):
    """Show this run on the training screen."""

    run: RunDirectory


@dataclass
class PlayRun(Message):
    """Play with this run's best checkpoint."""

    run: RunDirectory


@dataclass
class OverlayRuns(Message):
    """Draw the curves of these runs over the chart."""

    runs: Sequence[RunDirectory]
