"""A text as one model writes it under one setting, from the prime on, written on another thread."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from charrnn_tui.run.kept_checkpoints import KeptCheckpoint, kept_checkpoints
from charrnn_tui.sampling.page import Page
from charrnn_tui.tui.model_source import LoadedModel, ModelSource, load_model
from charrnn_tui.tui.play_settings import PlaySettings
from charrnn_tui.tui.preparation import Abandoned, Job
from charrnn_tui.tui.world import World

MODELS_KEPT: Final = 6  # of 13 MB each at 2×512
ENOUGH: Final = 300  # characters to see a difference in; a text that is not wanted any more ends there
MOST: Final = 50_000  # characters of a text without a length


class ModelShelf:
    """Models that were opened, the last few of them; threads share it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._models: OrderedDict[ModelSource, LoadedModel] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, model: LoadedModel) -> None:
        """Keep a model; the one that was not asked for for longest goes."""
        with self._lock:
            self._models[model.source] = model
            self._models.move_to_end(model.source)
            while len(self._models) > MODELS_KEPT:
                self._models.popitem(last=False)

    def take(self, source: ModelSource) -> LoadedModel:
        """A model, opened where it is not here. Blocks while it reads. Raises ValueError, one line."""
        with self._lock:
            model = self._models.get(source)
        if model is None:
            model = load_model(source, self._world)
        self.put(model)
        return model


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
        self._page: Page | None = None
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
        self.model = model = self._shelf.take(order.source)
        self.unknown = tuple(model.vocabulary.unknown(order.prime))
        self.prime = order.prime.translate(dict.fromkeys(map(ord, self.unknown)))
        sampler = model.reader.read(order.prime, self._go_on)
        sampler.settings = order.settings.sampling
        sampler.reseed(order.settings.seed)
        self._page = page = Page(sampler, self.prime, order.settings.seed)
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
