"""What the app is opened on; no part of Textual is needed to say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.settings import RunRequest


@dataclass(frozen=True)
class Opening:
    """What the app shows first: a checkpoint to play, a text to train on, a run, or a run to start at once.

    session: of the playground, restored instead of opening the checkpoint. resume: resume `run` at once, with these
    settings changed. read_only: send no request to any training. low_bandwidth: draw a run less often.
    """

    checkpoint: Path | None = None
    session: Path | None = None
    text: str | None = None
    run: RunDirectory | None = None
    start: RunRequest | None = None
    resume: Mapping[str, Any] | None = None
    read_only: bool = False
    low_bandwidth: bool = False
