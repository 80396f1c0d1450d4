"""The three screens of the studio, each made when it is first asked for: the first frame waits for no other."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import ModelSource, source_of_checkpoint
from charrnn_tui.tui.play.screen import PlayScreen

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.run.active_run import ActiveRun
    from charrnn_tui.run.directory import RunDirectory
    from charrnn_tui.run.progress import RunProgress
    from charrnn_tui.tui.app import Opening
    from charrnn_tui.tui.runs.screen import RunsScreen
    from charrnn_tui.tui.train.screen import TrainScreen


class StudioScreens:
    """Knows which of them is first, and what there is to see on it."""

    def __init__(
        self, backend: Backend, opening: Opening, active_run: Callable[[], ActiveRun | None], jobs: Jobs
    ) -> None:
        self._backend, self._opening, self._active_run, self._jobs = backend, opening, active_run, jobs
        self._played_pause: tuple[Path, int] | None = None  # of another process, and its step

    @cached_property
    def play(self) -> PlayScreen:
        return PlayScreen(self._backend, self._active_run, self._jobs)

    @cached_property
    def train(self) -> TrainScreen:
        from charrnn_tui.tui.train.screen import TrainScreen  # the playground's first frame does not wait for it

        opening = self._opening
        return TrainScreen(self._backend, self._jobs, read_only=opening.read_only, low_bandwidth=opening.low_bandwidth)

    @cached_property
    def runs(self) -> RunsScreen:
        from charrnn_tui.tui.runs.screen import RunsScreen  # as above

        return RunsScreen(self._backend, self._jobs, read_only=self._opening.read_only)

    @property
    def first_mode(self) -> str:
        """The name of the screen to begin with."""
        opening = self._opening
        return "train" if opening.start or opening.text is not None or opening.run else "play"

    def first(self) -> Screen[None]:
        """The screen to begin with, told what to show."""
        opening = self._opening
        if opening.checkpoint is not None:
            self.play.open_source(source_of_checkpoint(opening.checkpoint, self._backend))
        if opening.session is not None:
            self.play.begin_with(opening.session)
        if opening.start is not None:
            self.train.show_text(opening.start.corpus[0])
        if opening.text is not None:
            self.train.show_text(opening.text)
        if opening.run is not None:
            self.train.show_run(opening.run)
        return self.train if self.first_mode == "train" else self.play

    def shown_run(self) -> tuple[RunDirectory, RunProgress] | None:
        """The run on the training screen and what it has come to, if there is one."""
        run, progress = self.train.shown() if self._train_is_made else (None, None)
        return None if run is None or progress is None else (run, progress)

    def play_what_pauses(self) -> None:
        """Play with the run on the training screen where another process has paused it: it has saved itself before."""
        paused = self.train.paused_elsewhere() if self._train_is_made else None
        if paused is not None and paused != self._played_pause:
            self._played_pause = paused
            self.play.open_source(ModelSource("last", paused[0]))

    @property
    def _train_is_made(self) -> bool:
        return "train" in vars(self)
