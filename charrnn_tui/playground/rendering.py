"""A text as one model writes it under one setting, from the prime on, written on another thread."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, cast

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.controls import PlaySettings
from charrnn_tui.playground.models import LoadedModel, ModelSource, load_model, prepare_model
from charrnn_tui.playground.preparation import Abandoned, Job
from charrnn_tui.run.control import ShareWeights
from charrnn_tui.run.kept_checkpoints import KeptCheckpoint, kept_checkpoints
from charrnn_tui.sampling.generated_text import GeneratedText

if TYPE_CHECKING:
    from charrnn_tui.checkpoint.checkpoint import Checkpoint
    from charrnn_tui.run.active_run import ActiveRun

MODELS_KEPT: Final = 6  # of 13 MB each at 2×512
ENOUGH: Final = 300  # characters to see a difference in; a text that is not wanted any more ends there
MOST: Final = 50_000  # characters of a text without a length
_ANSWER_SECONDS: Final = 0.05  # between two looks whether a trainer's answer is still wanted


class ModelShelf:
    """Models that were opened, the last few of them, and all that no file holds; threads share it."""

    def __init__(self, backend: Backend, active_run: Callable[[], ActiveRun | None] = lambda: None) -> None:
        self._backend, self._active_run = backend, active_run
        self._models: OrderedDict[ModelSource, LoadedModel] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, model: LoadedModel) -> None:
        """Keep a model; of those that have a file the one that was not asked for for longest goes."""
        with self._lock:
            self._models[model.source] = model
            self._models.move_to_end(model.source)
            files = [source for source in self._models if source.kind != "live"]
            for source in files[:-MODELS_KEPT]:
                del self._models[source]

    def take(self, source: ModelSource, go_on: Callable[[], None] = lambda: None) -> LoadedModel:
        """A model, opened where it is not here, or with the weights that its trainer has now.

        Blocks while it reads, or until the trainer answers; `go_on` is called meanwhile, and may raise. Raises
        ValueError, one line.
        """
        with self._lock:
            model = self._models.get(source)
        if model is None:
            live = source.kind == "live"
            model = self._ask_trainer(source, go_on) if live else load_model(source, self._backend)
        self.put(model)
        return model

    def _ask_trainer(self, source: ModelSource, go_on: Callable[[], None]) -> LoadedModel:
        run = self._active_run()
        if run is not None and run.directory.path == source.path:
            answers: SimpleQueue[object] = SimpleQueue()
            run.control.request(ShareWeights(answers.put))
            while not run.done or not answers.empty():
                go_on()
                with suppress(Empty):
                    checkpoint = answers.get(timeout=_ANSWER_SECONDS)
                    return prepare_model(source, cast("Checkpoint", checkpoint))  # nothing else is put there
        raise ValueError(f"{source.path.name} is in training no more: m offers what it has saved")


@dataclass(frozen=True)
class Order:
    """What is to be written."""

    source: ModelSource
    prime: str
    settings: PlaySettings


class Rendering:
    """Begun when it is made; one looks how far it is, and may end it early."""

    def __init__(self, order: Order, shelf: ModelShelf) -> None:
        self.order = order
        self.model: LoadedModel | None = None
        self.prime = ""
        """As the model reads it: without what its alphabet lacks."""
        self.unknown: Sequence[str] = ()
        """What its alphabet lacks of the prime."""
        self.kept: Sequence[KeptCheckpoint] = ()
        """What the model's run has kept of its way."""
        self._shelf = shelf
        self._page: GeneratedText | None = None
        self._text = ""
        self._length = order.settings.length or MOST
        self._abandoned = False
        self._job = Job(self._write)

    @property
    def done(self) -> bool:
        return self._job.done

    @property
    def problem(self) -> str:
        """Once it is done: what was in its way, one line; empty where all went well. Raises what nobody foresaw."""
        try:
            self._job.result()
        except Abandoned:
            pass
        except ValueError as error:
            return str(error)
        return ""

    @property
    def text(self) -> str:
        """What has been written so far, raw, without the prime."""
        page = self._page
        if page is not None and len(page) > len(self._text):
            self._text += page.vocabulary.decode(page.ids[len(self._text) :])  # a copy: it grows meanwhile
        return self._text

    @property
    def count(self) -> int:
        return 0 if self._page is None else len(self._page)

    @property
    def total_bits(self) -> float:
        """The surprise of what has been written, under its own model."""
        return 0.0 if self._page is None else self._page.total_bits

    def give_way(self) -> None:
        """Something else is wanted: end as soon as there is enough to see."""
        self._length = min(self._length, ENOUGH)

    def abandon(self) -> None:
        """End now."""
        self._abandoned = True

    def _write(self) -> None:
        order = self.order
        if order.source.run is not None:
            self.kept = kept_checkpoints(order.source.run)
        self.model = model = self._shelf.take(order.source, lambda: self._go_on(0))
        self.unknown = tuple(model.vocabulary.unknown(order.prime))
        self.prime = order.prime.translate(dict.fromkeys(map(ord, self.unknown)))
        sampler = model.reader.read(order.prime, self._go_on)
        sampler.settings = order.settings.sampling
        sampler.reseed(order.settings.seed)
        self._page = page = GeneratedText(sampler, self.prime, order.settings.seed)
        while len(page) < self._length:
            self._go_on(0)
            page.write(sampler)

    def _go_on(self, done: int) -> None:
        if self._abandoned:
            raise Abandoned


def shared_length(one: str, other: str, known: int = 0) -> int:
    """How many characters two texts begin with in common. known: so many are known to be."""
    low, high = known, min(len(one), len(other))
    while low < high and one[low] == other[low]:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
