"""The part of the playground that chooses who writes: from outside, from the menu, side by side with another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType

from charrnn_tui.tui.play.looking_back import LookingBack
from charrnn_tui.tui.play.writing_desk import WritingDesk

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.playground.models import LoadedModel, ModelSource
    from charrnn_tui.run.active_run import ActiveRun
    from charrnn_tui.tui.play.forking_desk import ForkingDesk

CHOOSING: Final = frozenset({"choose_model", "side_by_side"})


class ChoosingModels(LookingBack):
    """Opens the first model when the panes are there, and leaves the machine to others while nobody looks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("vertical_line", "side_by_side", "Side by side", show=False, key_display="|", id="play.side_by_side"),
    ]

    def __init__(
        self,
        desk: ForkingDesk,
        backend: Backend,
        active_run: Callable[[], ActiveRun | None],
        new_seed: Callable[[], int],
    ) -> None:
        super().__init__(desk, new_seed)
        self.backend = backend
        self._active_run = active_run
        self._source: ModelSource | None = None
        self._begun = False

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)  # first the panes: the thread that loads a model would be in their way

    def _begin(self) -> None:
        self._begun = True
        self.begin()

    def begin(self) -> None:
        """Let the model write that was asked for, or else the newest."""
        self.desk.open(self._source)

    def open_source(self, source: ModelSource) -> None:
        """Play with this model, now or as soon as the screen is shown."""
        self._source = source
        if self._begun:
            self.desk.open(source)

    def on_screen_suspend(self) -> None:
        self.desk.pause()

    def on_screen_resume(self) -> None:
        if self._begun:
            self.desk.resume()

    @on(WritingDesk.ModelChanged)
    def model_changed(self, event: WritingDesk.ModelChanged) -> None:
        self._source = event.model.source

    def action_choose_model(self) -> None:
        from charrnn_tui.tui.dialogs.model_menu import ModelMenu  # not before it is shown

        self.app.push_screen(ModelMenu(self.backend, self._active_run, self._source), self._model_chosen)

    def _model_chosen(self, chosen: LoadedModel | ModelSource | None) -> None:
        if chosen is not None:
            self.desk.open(chosen)

    def action_side_by_side(self) -> None:
        from charrnn_tui.tui.compare.screen import CompareScreen  # not before it is shown

        model = self.desk.feed.model
        if model is None:
            self.tell("there is no model yet that could be compared")
        else:
            prime = self.desk.prime_field.prime
            dialog = CompareScreen(self.backend, self._active_run, model, prime, self.desk.settings, self._new_seed)
            self.app.push_screen(dialog)
