"""The studies of the run in view."""

from functools import partial
from typing import Any

from textual.widget import Widget

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.model_studies import study_learning
from charrnn_tui.playground.ngram_baseline import NgramBaseline, count_baseline
from charrnn_tui.playground.studied import StudiedRun
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.tui.inside.look_inside import LookInside, Study
from charrnn_tui.tui.inside.studies import studies_of, text_widget
from charrnn_tui.tui.train.learning_strip import LearningStrip
from charrnn_tui.tui.train.ngram_lines import ngram_lines
from charrnn_tui.tui.train.run_view import RunView


class RunStudies:
    """Opens the menu of the studies, and keeps what they have found until the run goes on or another one is shown."""

    def __init__(self, view: RunView, backend: Backend, jobs: Jobs) -> None:
        self._view, self._backend, self._jobs = view, backend, jobs
        self._found: dict[str, Any] = {}
        self._found_of: object = None  # the run and its step

    def open(self) -> None:
        """Show the menu, if there is a run."""
        if (run := self._view.run) is None:
            return
        if self._found_of != (run.path, self._view.progress.step):
            self._found, self._found_of = {}, (run.path, self._view.progress.step)
        studies = self._of(run)
        if self._view.baseline.complete:
            self._found[studies[0].name] = self._view.baseline
        menu = LookInside(run.name, studies, self._jobs, self._found)
        self._view.app.push_screen(menu, lambda _: self._view.read_baseline())

    def _of(self, run: RunDirectory) -> list[Study]:
        count, learn = (partial(find, run, self._backend) for find in (count_baseline, study_learning))
        return [
            Study("n-grams", "is it better than counting?", count, self._show_ngrams),
            Study("how it learned", "what surprised its earlier models?", learn, LearningStrip, "←→ text · "),
            *studies_of(StudiedRun(run, self._backend)),
        ]

    def _show_ngrams(self, found: NgramBaseline) -> Widget:
        return text_widget(ngram_lines(found, self._view.progress))
