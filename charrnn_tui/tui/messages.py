"""What the screens ask of the app, apart from them: it hears these before a screen that sends them is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from charrnn_tui.run.directory import RunDirectory
    from charrnn_tui.run.progress import RunProgress
    from charrnn_tui.run.settings import RunRequest


class StartRun(Message):
    """The form is right and the person wants this run."""

    def __init__(self, request: RunRequest) -> None:
        super().__init__()
        self.request = request


class ResumeRun(Message):
    """Go on with this run where it ended."""

    def __init__(self, run: RunDirectory, progress: RunProgress) -> None:
        super().__init__()
        self.run, self.progress = run, progress


class DetachRun(Message):
    """Leave the training of this process to one without a terminal, and go."""


class OpenRun(Message):
    """Show this run on the training screen."""

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self.run = run


class PlayRun(Message):
    """Play with this run's best checkpoint."""

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self.run = run


class OverlayRuns(Message):
    """Lay the curves of these runs over the chart."""

    def __init__(self, runs: Sequence[RunDirectory]) -> None:
        super().__init__()
        self.runs = list(runs)
