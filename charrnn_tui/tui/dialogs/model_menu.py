"""The menu of models: the run in training, the best and last checkpoints of runs, the shipped models, any file."""

from __future__ import annotations  # _Model and its others

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.playground.models import LoadedModel, ModelSource, figures_of, load_model, source_of
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.dialogs.job_note import JobNote
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.text_field import TextField


@dataclass(frozen=True)
class _Model:
    """A model that can be chosen. others: the other checkpoints of its run."""

    source: ModelSource
    figures: str
    others: tuple[_Model, ...] = ()

    @property
    def folded(self) -> list[ModelSource]:
        return [other.source for other in self.others]


class ModelMenu(Dialog[LoadedModel | ModelSource | None]):
    """Gives a model that has been opened, the source of live weights, or None if none was chosen."""

    HELP = "Tab goes to the field for a file: a .safetensors or .net file, a run's name, or its directory."
    TERMS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("live", "the weights of the run in training, as they are now"),
        ("best", "the checkpoint of a run with the lowest validation loss"),
        ("last", "the newest checkpoint of a run"),
        ("step", "an earlier checkpoint of a run"),
        ("val", "validation loss, and the batch size and sequence length that it was computed with"),
        ("shipped", "comes with the program"),
    )

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("m", "dismiss(None)", "Cancel", "Close the menu; the model stays.", "models.toggle"),
        Key("right", "fold(False)", "Unfold", "Show the other checkpoints of the run.", "models.unfold"),
        Key("left", "fold(True)", "Fold", "Hide the other checkpoints of the run.", "models.fold"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(
        self, backend: Backend, active_run: Callable[[], ActiveRun | None], jobs: Jobs, chosen: ModelSource | None
    ) -> None:
        super().__init__()
        self._backend, self._active_run, self._chosen = backend, active_run, chosen
        self._models: list[_Model] = []
        self._unfolded: set[Path | None] = set()
        self._list = ChoiceList[ModelSource]()
        self._input = TextField(placeholder="a file, a run's name or directory", id="model-file")
        self._note = JobNote(jobs)

    def compose(self) -> ComposeResult:
        with Vertical(id="model-box") as box:
            box.border_title = "models"
            yield self._list
            yield self._input
            yield self._note

    def on_mount(self) -> None:
        self._note.run("looking for models …", self._find, self._show)

    def _find(self, token: CancelToken) -> list[_Model]:
        """Live weights, the shipped models, and the runs, the newest first. Blocks while it reads each file."""
        models = []
        active = self._active_run()
        if active is not None and not active.done:
            models.append(_Model(ModelSource("live", active.directory.path), "as it is now"))
        models += [self._model(ModelSource("shipped", file)) for file in self._backend.shipped_checkpoints()]
        for run in self._backend.runs():
            token.check()
            saved = [ModelSource("best", run.path), ModelSource("last", run.path)]
            kept = [ModelSource("kept", kept.file) for kept in kept_checkpoints(run.path)]
            found = [self._model(source) for source in [*saved, *kept] if source.file.exists()]
            if found:
                models.append(replace(found[0], others=tuple(found[1:])))
        return models

    def _model(self, source: ModelSource) -> _Model:
        try:
            return _Model(source, figures_of(self._backend.checkpoint_facts(source.file)))
        except ValueError:  # its file is damaged: opening it says so
            return _Model(source, "")

    def _show(self, models: list[_Model]) -> None:
        self._models = models
        self._unfolded.update(model.source.run for model in models if self._chosen in model.folded)
        if models:
            self._fill(self._chosen)
            self._note.say("Enter opens, → unfolds a run, Esc cancels")
        else:
            self._input.focus()
            self._note.say("no model here yet: 1 trains one, or name a file")

    def _fill(self, highlighted: ModelSource | None) -> None:
        lines = []
        for model in self._models:
            unfolded = model.source.run in self._unfolded
            fold = "  " if not model.others else "▾ " if unfolded else "▸ "
            for listed, sign in ((model, fold), *((other, "    ") for other in model.others if unfolded)):
                mark = "●" if listed.source == self._chosen else " "
                lines.append((listed.source, f"{mark}{sign}{listed.source.label}  {listed.figures}"))
        self._list.fill(lines, highlighted)

    def action_fold(self, fold: bool) -> None:
        """Fold or unfold the checkpoints of the highlighted run."""
        chosen = self._list.value if self._models else None
        for model in self._models:
            if chosen == model.source and not model.others:
                self._note.say("there is no other checkpoint of it")
            elif chosen == model.source or chosen in model.folded:
                (self._unfolded.discard if fold else self._unfolded.add)(model.source.run)
                self._fill(model.source)

    @on(OptionList.OptionSelected)
    def model_chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if (source := self._list.value_of(event.option)) is not None:
            self._open(source)

    @on(Input.Submitted)
    def file_named(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._open(source_of(event.value.strip(), self._backend))

    def _open(self, source: ModelSource) -> None:
        if source.kind == "live":
            self.dismiss(source)
        else:
            self._note.run(f"opening {source.label} …", lambda token: load_model(source, self._backend), self.dismiss)
