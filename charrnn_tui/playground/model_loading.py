"""Opening models, reading primes, and fetching the weights of the run in training, all in the background."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, cast

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.playground.models import LoadedModel, ModelSource, load_model, prepare_model, source_of
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.control import ShareWeights
from charrnn_tui.sampling.sampler import Sampler

NO_MODEL: Final = "no model yet: 1 trains one, m opens a file"
REFRESH_SECONDS: Final = 5.0  # between two requests for the weights of the run in training
ANSWER_SECONDS: Final = 0.05  # between two checks whether a trainer's answer is still wanted
_MODEL, _NEWER = "model", "newer weights"  # keys of jobs
_READING: Final = "reading the prime"

Load = Callable[[CancelToken], LoadedModel]


class TrainingEnded(ValueError):
    """The run is no longer trained in this process; the message is one line."""


@dataclass(frozen=True, eq=False)
class PrimedModel:
    """A model with a sampler that has read the prime. read: the prime without the characters the model lacks."""

    model: LoadedModel
    sampler: Sampler
    prime: str
    read: str


def weights_from_trainer(run: ActiveRun | None, source: ModelSource, token: CancelToken) -> LoadedModel:
    """The weights that a trainer of this process has now. Blocks until it answers, between two steps.

    Raises TrainingEnded if it ends first, or if `run` is not the source's; Abandoned if the token is cancelled.
    """
    if run is not None and run.directory.path == source.path:
        answers: SimpleQueue[object] = SimpleQueue()
        run.control.request(ShareWeights(answers.put))
        ended = False
        while not ended:
            token.check()
            ended = run.done  # before the queue is read: an answer may have come just before the end
            with suppress(Empty):
                checkpoint = answers.get(timeout=ANSWER_SECONDS)
                return prepare_model(source, cast(Checkpoint, checkpoint))  # a trainer puts nothing else there
    raise TrainingEnded(f"{source.path.name} is no longer in training: press m to choose one of its saved models")


class ModelLoader:
    """Holds the model that writes, and loads the next one while the screen goes on."""

    def __init__(
        self,
        backend: Backend,
        active_run: Callable[[], ActiveRun | None],
        jobs: Jobs,
        primed: Callable[[PrimedModel], None],
        renewed: Callable[[LoadedModel], None],
        failed: Callable[[ValueError], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """primed: called when a text can start. renewed: when newer weights of the same run are there."""
        self._backend, self._active_run, self._jobs, self._clock = backend, active_run, jobs, clock
        self._primed, self._renewed, self._failed = primed, renewed, failed
        self.model: LoadedModel | None = None
        self._live: tuple[ActiveRun, ModelSource] | None = None
        self._loading: tuple[Load, str] | None = None  # how the model is opened, and what the status says meanwhile
        self._status = ""
        self._answered_at = 0.0

    @property
    def status(self) -> str:
        """What a text waits for before it can start; empty if nothing."""
        return self._status if self._jobs.pending(_MODEL) else ""

    @property
    def live(self) -> bool:
        """Whether the weights come from a run that is still in training."""
        return self._live is not None and not self._live[0].done

    def open(self, chosen: LoadedModel | ModelSource | None, prime: str | None) -> None:
        """Open a model, by default the backend's, and read the prime, by default one that suits the model."""
        self._set_live(None)
        run = self._active_run()
        if chosen is None:
            self._load(self._open_newest, "looking for a model", prime)
        elif isinstance(chosen, LoadedModel):
            self._load(lambda token: chosen, _READING, prime)
        elif chosen.kind == "live" and run is not None and not run.done and run.directory.path == chosen.path:
            self._set_live((run, chosen))
            self._ask_trainer(run, chosen, prime)
        else:
            source = ModelSource("last", chosen.path) if chosen.kind == "live" else chosen  # the training has ended
            self._load(lambda token: load_model(source, self._backend), f"loading {source.label}", prime)

    def start_over(self, prime: str | None) -> None:
        """Read the prime with the current model, with its newest weights if it is in training.

        While a model is being opened, with that one.
        """
        model = self.model
        if self.status and self._loading is not None:
            self._load(*self._loading, prime)
        elif self._live is not None and self.live:
            self._ask_trainer(*self._live, prime)
        elif model is not None:
            self._load(lambda token: model, _READING, prime)

    def turn_to(self, model: LoadedModel) -> None:
        """Make this the current model, whose text is shown; nothing else is waited for."""
        self._jobs.cancel(_MODEL)
        if self.model is None or self.model.source != model.source:
            self._set_live(None)
        self.model = model

    def close(self) -> None:
        """Cancel what is being loaded."""
        self._jobs.cancel(_MODEL)
        self._jobs.cancel(_NEWER)

    def refresh(self) -> None:
        """Ask for newer weights, if those of a run in training are in use and old enough."""
        due = self._clock() - self._answered_at >= REFRESH_SECONDS
        if self._live is None or not self.live or not due or self.status or self._jobs.pending(_NEWER):
            return
        run, source = self._live
        work = partial(weights_from_trainer, run, source)
        self._jobs.submit(_NEWER, work, self._weights_came, lambda error: None)  # it ended: what is here is the last

    def _set_live(self, live: tuple[ActiveRun, ModelSource] | None) -> None:
        self._live = live
        self._jobs.cancel(_NEWER)

    def _ask_trainer(self, run: ActiveRun, source: ModelSource, prime: str | None) -> None:
        self._jobs.cancel(_NEWER)

        def load(token: CancelToken) -> LoadedModel:
            try:
                return weights_from_trainer(run, source, token)
            except TrainingEnded:
                if self.model is not None and self.model.source == source:
                    return self.model
                return load_model(ModelSource("last", source.path), self._backend)

        self._load(load, "waiting for the trainer's weights", prime)

    def _open_newest(self, token: CancelToken) -> LoadedModel:
        file = self._backend.default_checkpoint()
        if file is None:
            raise ValueError(NO_MODEL)
        return load_model(source_of(file, self._backend), self._backend)

    def _load(self, load: Load, status: str, prime: str | None) -> None:
        self._loading, self._status = (load, status), status

        def work(token: CancelToken) -> PrimedModel:
            model = load(token)
            wanted = model.suggested_prime if prime is None else prime

            def on_progress(done: int) -> None:
                token.check()
                self._status = f"{_READING}: {done:,} of {len(wanted):,}" if done else status

            sampler = model.reader.read(wanted, on_progress)
            return PrimedModel(model, sampler, wanted, model.vocabulary.known_part(wanted))

        self._jobs.submit(_MODEL, work, self._model_came, self._failed)

    def _model_came(self, primed: PrimedModel) -> None:
        self.model, self._answered_at = primed.model, self._clock()
        self._primed(primed)

    def _weights_came(self, model: LoadedModel) -> None:
        self._answered_at = self._clock()
        if not self.status:
            self.model = model
            self._renewed(model)
