"""The menu of models: the run in training, the best and last checkpoints of runs, the shipped model, any file."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import LoadedModel, ModelSource, load_model, source_of
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.textview.visible import visible


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
        self._backend, self._active_run, self._jobs, self._chosen = backend, active_run, jobs, chosen
        self._job = f"model menu {id(self)}"  # so that this menu cancels no job of the next one
        self._sources: list[ModelSource] = []
        self._list = ChoiceList(markup=False)
        self._input = Input(placeholder="a file, a run's name or directory", compact=True, id="model-file")
        self._input.cursor_blink = self._input.select_on_focus = False
        self._note = Static("looking for models …", id="model-note", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="model-box") as box:
            box.border_title = "models"
            yield self._list
            yield self._input
            yield self._note

    def on_mount(self) -> None:
        self._jobs.submit(self._job, lambda token: self._find(), self._show)

    def on_unmount(self) -> None:
        self._jobs.cancel(self._job)

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
        self._sources = sources
        self._list.add_options(Option(self._label(source)) for source in sources)
        if sources:
            self._list.highlighted = sources.index(self._chosen) if self._chosen in sources else 0
            self._say("Enter opens, Esc cancels")
        else:
            self._input.focus()
            self._say("no model here yet: 1 trains one, or name a file")

    def _label(self, source: ModelSource) -> Content:
        mark = "● " if source == self._chosen else "  "
        return Content(mark + visible(source.label))

    @on(OptionList.OptionSelected)
    def model_chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._open(self._sources[event.option_index])

    @on(Input.Submitted)
    def file_named(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._open(source_of(event.value.strip(), self._backend))

    def _open(self, source: ModelSource) -> None:
        if source.kind == "live":
            self.dismiss(source)
            return
        self._say(f"opening {source.label} …")
        self._jobs.submit(
            self._job,
            lambda token: load_model(source, self._backend),
            self.dismiss,
            lambda error: self._say(str(error), error=True),
        )

    def _say(self, note: str, error: bool = False) -> None:
        self._note.set_class(error, "-error")
        self._note.update(visible(note))
