"""The menu of models: the run in training, the runs' best and last, the shipped one, any file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.models import LoadedModel, ModelSource, load_model, source_of
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.textview.visible import visible


@dataclass(frozen=True)
class Choices:
    """What there is to choose from."""

    sources: tuple[ModelSource, ...]


class ModelMenu(Dialog[LoadedModel | ModelSource | None]):
    """Gives a model that has been opened, or the source of live weights, or None: then all stays as it was."""

    HELP = """↑ ↓ and Enter choose a model. Tab goes to the field for a file: a .safetensors or .net file,
a run's name or its directory. What cannot be opened is said below, and nothing changes.

live  the weights of the run in training, as they are now      best  least validation loss
last  the newest checkpoint                                    shipped  comes with the program
step  one that the run of the chosen model has kept of its way"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Cancel", id="models.cancel"),
        Binding("m", "give_up", "Cancel", show=False, id="models.toggle"),
    ]
    DEFAULT_CSS = """
    ModelMenu {
        align: center middle;
        & #model-box {
            width: 72; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; border-title-style: bold; background: $surface; padding: 0 1;
        }
        & OptionList { height: auto; max-height: 14; padding: 0; background: $surface; &, &:focus { border: none; } }
        & #model-note { height: auto; color: $text-muted; }
        & #model-note.-error { color: $text-error; text-style: bold; }
    }
    """

    def __init__(
        self, backend: Backend, active_run: Callable[[], ActiveRun | None], chosen: ModelSource | None
    ) -> None:
        super().__init__()
        self._backend, self._active_run, self._chosen = backend, active_run, chosen
        self._sources: tuple[ModelSource, ...] = ()
        self._list = ChoiceList(markup=False)
        self._input = Input(placeholder="a file, a run's name or directory", compact=True, id="model-file")
        self._input.cursor_blink = self._input.select_on_focus = False
        self._note = Static("looking for models …", id="model-note", markup=False)
        self._opening: Worker[LoadedModel] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="model-box") as box:
            box.border_title = "models"
            yield self._list
            yield self._input
            yield self._note

    def on_mount(self) -> None:
        self.run_worker(self._find, thread=True, group="find")

    def _find(self) -> Choices:
        """On another thread: a list of runs is as many looks at the disk."""
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
        return Choices(tuple(sources))

    @on(Worker.StateChanged)
    def worked(self, event: Worker.StateChanged) -> None:
        event.stop()
        worker = event.worker
        if worker.state is WorkerState.SUCCESS and isinstance(worker.result, Choices):
            self._show(worker.result)
        elif worker is self._opening and worker.state is WorkerState.SUCCESS:
            self.dismiss(worker.result)
        elif worker is self._opening and worker.state is WorkerState.ERROR:
            if not isinstance(worker.error, ValueError):
                raise worker.error or RuntimeError("a worker failed without an error")
            self._say(str(worker.error), error=True)

    def _show(self, choices: Choices) -> None:
        self._sources = choices.sources
        self._list.add_options(Option(self._words(source)) for source in choices.sources)
        if choices.sources:
            places = [place for place, source in enumerate(choices.sources) if source == self._chosen]
            self._list.highlighted = places[0] if places else 0
            self._say("Enter opens, Esc leaves all as it is")
        else:
            self._input.focus()
            self._say("no model here yet: 1 trains one, or name a file")

    def _words(self, source: ModelSource) -> Content:
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
        backend = self._backend
        self._opening = self.run_worker(
            lambda: load_model(source, backend), thread=True, group="open", exclusive=True, exit_on_error=False
        )

    def _say(self, words: str, error: bool = False) -> None:
        self._note.set_class(error, "-error")
        self._note.update(visible(words))

    def action_give_up(self) -> None:
        self.dismiss(None)
