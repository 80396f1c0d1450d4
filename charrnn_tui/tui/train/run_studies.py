"""The studies of the run in view."""

from collections.abc import Callable
from functools import partial
from typing import Any

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.model_studies import study_gates, study_learning, study_memory, study_surprise
from charrnn_tui.playground.ngram_baseline import NgramBaseline, count_baseline
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.tui.train.inside_run import InsideRun, Study
from charrnn_tui.tui.train.learning_strip import LearningStrip
from charrnn_tui.tui.train.memory_curve import MemoryCurve
from charrnn_tui.tui.train.run_view import RunView
from charrnn_tui.tui.train.study_lines import gate_lines, ngram_lines
from charrnn_tui.tui.train.surprise_view import SurpriseView


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
        menu = InsideRun(run.name, studies, self._jobs, self._found)
        self._view.app.push_screen(menu, lambda _: self._view.read_baseline())

    def _of(self, run: RunDirectory) -> list[Study]:
        def study(
            name: str, question: str, find: Callable[..., Any], show: Callable[[Any], Widget], keys: str = ""
        ) -> Study:
            return Study(name, question, partial(find, run, self._backend), show, keys)

        def surprise(part: str, question: str, *, of_training: bool) -> Study:
            find = partial(study_surprise, of_training=of_training)
            return study(f"surprise, {part}", question, find, SurpriseView, "n N worst places · t means · ")

        return [
            study("n-grams", "is it better than counting?", count_baseline, self._show_ngrams),
            study("how it learned", "what surprised its earlier models?", study_learning, LearningStrip, "←→ text · "),
            study("memory", "how far back does it remember?", study_memory, MemoryCurve),
            study("gates", "how often are they saturated?", study_gates, lambda found: _text(gate_lines(found))),
            surprise("validation", "where is new text unexpected?", of_training=False),
            surprise("training", "where is its own text unexpected?", of_training=True),
        ]

    def _show_ngrams(self, found: NgramBaseline) -> Widget:
        return _text(ngram_lines(found, self._view.progress))


def _text(lines: list[str]) -> Widget:
    return VerticalScroll(Static("\n".join(lines), markup=False))
