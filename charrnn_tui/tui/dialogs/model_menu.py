"""The menu of models: the run in training, the best and last checkpoints of runs, the shipped model, any file."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import LoadedModel, ModelSource, load_model, source_of
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.dialogs.job_note import JobNote
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.text_field import TextField


class ModelMenu(Dialog[LoadedModel | ModelSource | None]):
    """Gives a model that has been opened, the source of live weights, or None if none was chosen."""

    HELP = "Tab goes to the field for a file: a .safetensors or .net file, a run's name, or its directory."
    TERMS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("live", "the weights of the run in training, as they are now"),
        ("best", "the checkpoint of a run with the lowest validation loss"),
        ("last", "the newest checkpoint of a run"),
        ("step", "an earlier checkpoint of the chosen model's run"),
        ("shipped", "comes with the program"),
    )

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("escape", "dismiss(None)", "Cancel", "Close the menu; the model stays.", "models.cancel"),
        Key("m", "dismiss(None)", "Cancel", "Close the menu; the model stays.", "models.toggle"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(
        self, backend: Backend, active_run: Callable[[], ActiveRun | None], jobs: Jobs, chosen: ModelSource | None
    ) -> None:
        super().__init__()
        self._backend, self._active_run, self._chosen = backend, active_run, chosen
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
        self._note.run("looking for models …", lambda token: self._find(), self._show)

    def _find(self) -> list[ModelSource]:
        """Blocks while it looks for each run's checkpoints."""
        sources: list[ModelSource] = []
        active = self._active_run()
        if active is not None and not active.done:
            sources.append(ModelSource("live", active.directory.path))
        for run in self._backend.runs():
            if run.best_file.exists():
                sources.append(ModelSource("best", run.path))
            if run.last_file.exists():
                sources.append(ModelSource("last", run.path))
            if self._chosen is not None and run.path == self._chosen.run:
                sources += [ModelSource("kept", kept.file) for kept in kept_checkpoints(run.path)]
        shipped = self._backend.shipped_checkpoint()
        if shipped is not None:
            sources.append(ModelSource("shipped", shipped))
        return sources

    def _show(self, sources: list[ModelSource]) -> None:
        if sources:
            labels = ((source, ("● " if source == self._chosen else "  ") + source.label) for source in sources)
            self._list.fill(labels, self._chosen)
            self._note.say("Enter opens, Esc cancels")
        else:
            self._input.focus()
            self._note.say("no model here yet: 1 trains one, or name a file")

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
