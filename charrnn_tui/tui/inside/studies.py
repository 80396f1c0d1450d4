"""The studies of a model that need only the model and a text."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.model_studies import study_gates, study_memory, study_surprise
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.playground.studied import StudiedModel, Subject
from charrnn_tui.tui.inside.gate_lines import gate_lines
from charrnn_tui.tui.inside.look_inside import LookInside, Study
from charrnn_tui.tui.inside.memory_curve import MemoryCurve
from charrnn_tui.tui.inside.surprise_view import SurpriseView


def studies_of(subject: Subject) -> list[Study]:
    """Memory, gates, and surprise on what was held out of the training and on what was not."""

    def study(
        name: str, question: str, find: Callable[..., Any], show: Callable[[Any], Widget], keys: str = ""
    ) -> Study:
        return Study(name, question, partial(find, subject), show, keys, attrgetter("source"))

    def surprise(part: str, question: str, *, of_training: bool) -> Study:
        find = partial(study_surprise, of_training=of_training)
        return study(f"surprise, {part}", question, find, SurpriseView, "n N worst places · t means · ")

    return [
        study("memory", "how far back does it remember?", study_memory, MemoryCurve),
        study("gates", "how often are they saturated?", study_gates, lambda found: text_widget(gate_lines(found))),
        surprise("validation", "where is new text unexpected?", of_training=False),
        surprise("training", "where is its own text unexpected?", of_training=True),
    ]


def text_widget(lines: list[str]) -> Widget:
    """Lines that scroll."""
    return VerticalScroll(Static("\n".join(lines), markup=False))


class ModelStudies:
    """Makes the menu of the studies of the playground's model; what they have found is kept until there is another."""

    def __init__(self, backend: Backend, jobs: Jobs) -> None:
        self._backend, self._jobs = backend, jobs
        self._subject: StudiedModel | None = None
        self._found: dict[str, Any] = {}

    def menu(self, model: LoadedModel) -> LookInside:
        """Of this model."""
        if self._subject is None or self._subject.model is not model:
            self._subject, self._found = StudiedModel(model, self._backend), {}
        return LookInside(model.source.label, studies_of(self._subject), self._jobs, self._found)
