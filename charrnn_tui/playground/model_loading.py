"""The models of the playground: opened, primed, and kept fresh from a trainer, while the screen goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from charrnn_tui.playground.live_weights import TrainerWeights
from charrnn_tui.playground.models import ModelSource, load_model, newest_source, prepare_model
from charrnn_tui.playground.preparation import Job, Preparation

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.playground.models import LoadedModel
    from charrnn_tui.playground.preparation import Prepared
    from charrnn_tui.run.active_run import ActiveRun

NO_MODEL: Final = "no model yet: 1 trains one, m opens a file"


class ModelLoader:
    """Nothing here waits: the screen asks, and looks now and then whether something has come."""

    def __init__(
        self,
        backend: Backend,
        active_run: Callable[[], ActiveRun | None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.backend, self._active_run, self._clock = backend, active_run, clock
        self.model: LoadedModel | None = None
        self._prime: str | None = None
        self._live: TrainerWeights | None = None
        self._live_source: ModelSource | None = None
        self._fresh_wanted = False  # a text is to start as soon as the trainer has answered
        self._preparation: Preparation | None = None
        self._newer: Job[LoadedModel] | None = None

    @property
    def words(self) -> str:
        """What is being waited for before a text can start; empty: nothing."""
        if self._preparation is not None:
            return self._preparation.words
        return "waiting for the trainer's weights" if self._fresh_wanted else ""

    def open(self, source: ModelSource | None, prime: str | None) -> None:
        """Open a model, the newest one where it is not said which, and read the prime."""
        self._prime = prime
        if source is not None and source.kind == "live":
            run = self._active_run()
            if run is not None and not run.done and run.directory.path == source.path:
                self._live, self._live_source = TrainerWeights(run, self._clock), source
                self._ask()
                return
            source = ModelSource("last", source.path)  # it has ended: these are its last weights
        self._live = None
        what = f"loading {source.label}" if source is not None else "looking for a model"
        self._prepare(partial(_open, source, self.backend), what)

    def use(self, model: LoadedModel, prime: str | None) -> None:
        """Read the prime with a model that is open already."""
        self._live = None
        self._prime = prime
        self._prepare(lambda: model, "reading the prime")

    def turn_to(self, model: LoadedModel) -> None:
        """A text of this model goes on: nothing else is waited for, newer weights only where they are its own."""
        self._abandon()
        if self.model is None or self.model.source != model.source:
            self._live = None
        self.model = model

    def start_over(self, prime: str | None) -> None:
        """Read the prime, with the newest weights where they are live."""
        self._prime = prime
        if self._live is not None and not self._live.run.done:
            self._ask()
        elif self.model is not None:
            model = self.model
            self._prepare(lambda: model, "reading the prime")

    @property
    def training(self) -> bool:
        """Whether a run trains in this process, and wants the processor for itself."""
        run = self._active_run()
        return run is not None and not run.done

    @property
    def live(self) -> bool:
        """Whether the weights come from a trainer that still trains."""
        return self._live is not None and not self._live.run.done

    def look(self, writing: bool) -> Prepared | LoadedModel | None:
        """What has come: a sampler to start a text with, or newer weights to go on with.

        writing: whether newer weights would be of use. Raises ValueError, one line: what was asked for cannot be had.
        """
        self._hear_trainer(writing)
        if self._preparation is not None and self._preparation.done:
            preparation, self._preparation = self._preparation, None
            prepared = preparation.result()
            self.model = prepared.model
            return prepared
        if self._newer is not None and self._newer.done:
            newer, self._newer = self._newer, None
            model = newer.result()
            if not self.words:
                self.model = model
                return model
        return None

    def resume(self) -> None:
        """Somebody looks again, after a while: a text that was to start is to start with weights of now."""
        if self._live is not None and self._fresh_wanted:
            self._live.ask_again()

    def close(self) -> None:
        """Nobody will look any more."""
        self._abandon()

    def _hear_trainer(self, writing: bool) -> None:
        live, source = self._live, self._live_source
        if live is None or source is None:
            return
        checkpoint = live.take()
        if checkpoint is not None and self._fresh_wanted:
            self._prepare(partial(prepare_model, source, checkpoint), "reading the prime")
        elif checkpoint is not None:
            self._newer = Job(partial(prepare_model, source, checkpoint))
        elif self._fresh_wanted and live.run.done:
            self._go_on_without(source)
        elif writing and live.due:
            live.ask()

    def _go_on_without(self, source: ModelSource) -> None:
        """The training ended without an answer: its last weights are the ones at hand, or those on the disk."""
        model = self.model
        if model is not None and model.source == source:
            self._prepare(lambda: model, "reading the prime")
        else:
            self.open(ModelSource("last", source.path), self._prime)

    def _ask(self) -> None:
        assert self._live is not None
        self._abandon()
        self._fresh_wanted = True
        self._live.ask()

    def _prepare(self, load: Callable[[], LoadedModel], what: str) -> None:
        self._abandon()
        self._preparation = Preparation(load, self._prime, what)

    def _abandon(self) -> None:
        self._fresh_wanted = False
        if self._preparation is not None:
            self._preparation.abandon()
            self._preparation = None


def _open(source: ModelSource | None, backend: Backend) -> LoadedModel:
    source = newest_source(backend) if source is None else source
    if source is None:
        raise ValueError(NO_MODEL)
    return load_model(source, backend)
