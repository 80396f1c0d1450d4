"""Requests of the screens to the app."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from charrnn_tui.run.directory import RunDirectory


@dataclass
class OpenRun(Message):
    """Show this run on the training screen."""

    run: RunDirectory


@dataclass
class PlayRun(Message):
    """Play with this run's best checkpoint."""

    run: RunDirectory


@dataclass
class TrainOn(Message):
    """Show the form of a run that starts from this model. old_text: the text that it was trained on, if it is known."""

    model: str
    old_text: str


@dataclass
class OverlayRuns(Message):
    """Draw the curves of these runs over the chart."""

    runs: Sequence[RunDirectory]
