"""Two texts from the same prime and seed, under two settings or by two models, each written in the background."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

from charrnn_tui.checkpoint.checkpoint import Facts
from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.controls import (
    BAN,
    DRY,
    LENGTH,
    MIN_P,
    ONLY,
    PIN,
    SEED,
    STOP,
    TEMPERATURE,
    TOP_K,
    TOP_P,
    PlayControl,
    PlaySettings,
)
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.playground.model_loading import weights_from_trainer
from charrnn_tui.playground.models import LoadedModel, ModelSource, load_model
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.kept_checkpoints import kept_checkpoints, kept_file, step_of_kept
from charrnn_tui.run.quantities import nats
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.stops import StopWatch

SIDE_CONTROLS: Final = (TOP_K, TEMPERATURE, TOP_P, MIN_P, DRY, BAN, ONLY, PIN, SEED, STOP, LENGTH)
MOST_MODELS: Final = 6  # of 13 MB each at 2×512
ENOUGH: Final = 300  # characters that show a difference; a text ends there when another one is asked for
MOST: Final = 50_000  # characters of a text without a length
FIRST_LENGTH: Final = 1000
PATIENCE_SECONDS: Final = 0.4  # then the part that is written is shown
GROWTH_SECONDS: Final = 0.1  # between two later updates of it
_COMMON: Final = (SEED, STOP, LENGTH)  # always the same on both sides, as the prime is


Clock = Callable[[], float]


class ModelCache:
    """The models opened last, and all live weights, which no file holds. Threads share it."""

    def __init__(self, backend: Backend, active_run: Callable[[], ActiveRun | None] = lambda: None) -> None:
        self._backend, self._active_run = backend, active_run
        self._models: OrderedDict[ModelSource, LoadedModel] = OrderedDict()
        self._lock = Lock()

    def put(self, model: LoadedModel) -> None:
        """Store a model; beyond MOST_MODELS, the one that has a file and was used longest ago goes."""
        with self._lock:
            self._models[model.source] = model
            self._models.move_to_end(model.source)
            files = [source for source in self._models if source.kind != "live"]
            for source in files[:-MOST_MODELS]:
                del self._models[source]

    def get(self, source: ModelSource, token: CancelToken) -> LoadedModel:
        """The model, opened if it is not here; live weights, as its trainer has them now.

        Blocks while it reads, or until the trainer answers. Raises ValueError, one line; Abandoned by the token.
        """
        with self._lock:
            model = self._models.get(source)
        if model is None and source.kind == "live":
            model = weights_from_trainer(self._active_run(), source, token)
        elif model is None:
            model = load_model(source, self._backend)
        self.put(model)
        return model


class ComparisonText:
    """A text while it is written by a job, and afterwards."""

    def __init__(self, source: ModelSource, asked_prime: str, settings: PlaySettings) -> None:
        self.source, self.asked_prime, self.settings = source, asked_prime, settings
        self.model: LoadedModel | None = None
        self.prime = ""
        """As the model reads it: without characters its alphabet lacks."""
        self.unknown: Sequence[str] = ()
        """The characters of the prime that the alphabet lacks."""
        self.kept_steps: Sequence[int] = ()
        """The steps of the checkpoints that the model's run has kept."""
        self.problem = ""
        self._generated: GeneratedText | None = None
        self._text = ""
        self._length = settings.length or MOST

    @property
    def text(self) -> str:
        """The characters written so far, without the prime; each is decoded once."""
        generated = self._generated
        if generated is not None and len(generated) > len(self._text):
            self._text += generated.vocabulary.decode(generated.ids[len(self._text) :])  # a copy: it grows meanwhile
        return self._text

    @property
    def count(self) -> int:
        return 0 if self._generated is None else len(self._generated)

    @property
    def nats_per_char(self) -> float:
        """The surprise of the text under its own model."""
        return nats(self._generated.total_bits / len(self._generated)) if self._generated else 0.0

    def end_soon(self) -> None:
        """Stop writing as soon as there is enough to see."""
        self._length = min(self._length, ENOUGH)

    def write(self, cache: ModelCache, token: CancelToken) -> None:
        """Open the model, read the prime, write the text. Raises ValueError, one line; Abandoned by the token."""
        if self.source.run is not None:
            self.kept_steps = [kept.step for kept in kept_checkpoints(self.source.run)]
        self.model = model = cache.get(self.source, token)
        self.unknown = tuple(model.vocabulary.unknown(self.asked_prime))
        self.prime = model.vocabulary.known_part(self.asked_prime)
        sampler = model.reader.read(self.asked_prime, lambda _: token.check())
        sampler.settings = self.settings.sampling
        sampler.reseed(self.settings.seed)
        self._generated = generated = GeneratedText(sampler, self.prime, self.settings.seed)
        watch = StopWatch(self.settings.end)
        while len(generated) < self._length:
            token.check()
            if watch.ends_with(generated.write(sampler).character):
                break


@dataclass(frozen=True)
class Stage:
    """The place of a model in its training. steps: of the run's checkpoints, rising. facts: most wanted first."""

    steps: Sequence[int]
    step: int
    facts: Sequence[str]

    def step_beside(self, by: int) -> int:
        """Of the checkpoint before (-1) or after (1) the model; beyond the last one, the last."""
        if by < 0:
            return max((step for step in self.steps if step < self.step), default=self.steps[0])
        return min((step for step in self.steps if step > self.step), default=self.steps[-1])


class Side:
    """One of the two texts: asked for another while it is written, the newest request is written next."""

    def __init__(
        self, letter: str, model: ModelSource, settings: PlaySettings, cache: ModelCache, jobs: Jobs, clock: Clock
    ) -> None:
        """clock: seconds."""
        self.letter, self.source, self.settings = letter, model, settings
        self.shown: ComparisonText | None = None
        self.text = ""
        """The characters of `shown` at the last poll."""
        self._cache, self._jobs, self._clock = cache, jobs, clock
        self.job = f"comparison {letter}"
        self._writing: ComparisonText | None = None
        self._next: ComparisonText | None = None
        self._due = 0.0

    @property
    def busy(self) -> bool:
        """Whether it writes, shown already or not."""
        return self._writing is not None

    @property
    def growing(self) -> bool:
        """Whether the text that is shown is still being written."""
        return self.shown is not None and self.shown is self._writing

    @property
    def model(self) -> LoadedModel | None:
        """The model of the side, once it has written the text that is shown."""
        model = self.shown.model if self.shown is not None else None
        return model if model is not None and model.source == self.source else None

    @property
    def title(self) -> str:
        return self.source.label if self.model is None else self.model.title

    @property
    def stage(self) -> Stage | None:
        """The place of the model in its training, if its run has kept checkpoints."""
        shown, source, model = self.shown, self.source, self.model
        if shown is None or not shown.kept_steps or shown.source.run != source.run:
            return None
        step = step_of_kept(source.path) if source.kind == "kept" else shown.kept_steps[-1]
        if model is not None and model.step is not None:
            step = model.step
        return Stage(shown.kept_steps, step, training_facts(step, model.facts if model is not None else Facts()))

    def write(self, prime: str) -> None:
        """Write the text again."""
        self._next = ComparisonText(self.source, prime, self.settings)
        if self._writing is None:
            self._write_next()
        else:
            self._writing.end_soon()

    def update(self) -> None:
        """Show what has been written by now, if that is worth it."""
        writing, shown = self._writing, len(self.text) if self.growing else 0
        if writing is not None and writing.count > shown and self._clock() >= self._due:
            self._show(writing)
            self._due = self._clock() + GROWTH_SECONDS

    def _show(self, text: ComparisonText) -> None:
        self.shown, self.text = text, text.text

    def _write_next(self) -> None:
        self._writing, self._next = self._next, None
        if (text := self._writing) is not None:
            self._due, cache = self._clock() + PATIENCE_SECONDS, self._cache
            self._jobs.submit(self.job, lambda token: text.write(cache, token), self._written, self._failed)

    def _failed(self, error: ValueError) -> None:
        if self._writing is not None:
            self._writing.problem = str(error)
        self._written(None)

    def _written(self, _: None) -> None:
        if self._writing is not None:
            self._show(self._writing)
        self._write_next()


class Comparison:
    """Two sides, one of them chosen. A change acts on the chosen side, or on both if they are linked.

    Methods that return a line say why they changed nothing; empty if they did.
    """

    def __init__(
        self,
        cache: ModelCache,
        jobs: Jobs,
        model: LoadedModel,
        prime: str,
        settings: PlaySettings,
        new_seed: Callable[[], int],
        clock: Clock = time.perf_counter,
    ) -> None:
        """Both sides begin with the same model and settings; B is chosen. new_seed: for a reroll; clock: seconds."""
        cache.put(model)
        settings = replace(settings, length=min(settings.length or FIRST_LENGTH, FIRST_LENGTH))
        self.sides = [Side(letter, model.source, settings, cache, jobs, clock) for letter in "AB"]
        self.linked = False
        self.chosen = 1
        self.prime = prime
        self._cache, self._jobs, self._new_seed = cache, jobs, new_seed
        self._polled: Sequence[object] = ()
        self._moments = 0  # at which live weights were fetched

    @property
    def side(self) -> Side:
        """The chosen side."""
        return self.sides[self.chosen]

    @property
    def busy(self) -> bool:
        return any(side.busy for side in self.sides)

    @property
    def shared(self) -> int | None:
        """How many characters the texts have in common before they differ; None if neither differs from the other."""
        one, other = (side.text for side in self.sides)
        shared = shared_length(one, other)
        return shared if shared < min(len(one), len(other)) else None

    @property
    def differing_controls(self) -> list[PlayControl]:
        one, other = (side.settings for side in self.sides)
        return [control for control in SIDE_CONTROLS if control.value(one) != control.value(other)]

    def poll(self) -> bool:
        """Take over what was written; whether there is anything new to show."""
        self._jobs.drain()
        for side in self.sides:
            side.update()
        before, self._polled = self._polled, [(side.shown, side.busy, len(side.text)) for side in self.sides]
        return self._polled != before

    def close(self) -> None:
        """Abandon what is being written."""
        for side in self.sides:
            self._jobs.cancel(side.job)

    def write(self, *sides: Side) -> None:
        """Write the texts of these sides again, by default of both."""
        for side in sides or self.sides:
            side.write(self.prime)

    def set_control(self, control: PlayControl, settings: PlaySettings) -> None:
        """Give a control the value that it has in these settings."""
        sides = self.sides if self.linked or control in _COMMON else [self.side]
        for side in sides:
            side.settings = control.with_value(side.settings, control.value(settings))
        self.write(*sides)

    def check(self, settings: PlaySettings) -> None:
        """Raise ValueError, one line, where a model that would write with these settings cannot follow them."""
        for side in self.sides:
            if side.model is not None and (self.linked or side is self.side):
                settings.check(side.model.vocabulary, side.model.network)

    def set_prime(self, prime: str) -> None:
        if prime != self.prime:
            self.prime = prime
            self.write()

    def choose_other(self) -> None:
        self.chosen = 1 - self.chosen

    def link(self) -> None:
        """Let changes act on both sides or, if they do already, on the chosen one alone."""
        self.linked = not self.linked

    def reroll(self) -> None:
        """Write both sides with a new seed."""
        seed = self._new_seed()
        for side in self.sides:
            side.settings = replace(side.settings, seed=seed)
        self.write()

    def swap(self) -> str:
        """Exchange models and settings."""
        one, other = self.sides
        if (one.source, one.settings) == (other.source, other.settings):
            return "both sides have the same model and settings"
        one.source, other.source = other.source, one.source
        one.settings, other.settings = other.settings, one.settings
        self.write()
        return ""

    def use(self, model: LoadedModel | ModelSource) -> None:
        """Write the chosen side with another model: an open one, or a run's weights as they are now."""
        if isinstance(model, LoadedModel):
            self._cache.put(model)
            self.side.source = model.source
        else:
            self._moments += 1
            self.side.source = replace(model, moment=self._moments)
        self.write(self.side)

    def step_by(self, by: int) -> str:
        """Use the checkpoint before (-1) or after (1) the model of the chosen side."""
        return "" if (stage := self.side.stage) is None else self.use_step(stage.step_beside(by))

    def step_to_end(self, end: int) -> str:
        """Use the first (0) or last (-1) checkpoint."""
        return "" if (stage := self.side.stage) is None else self.use_step(stage.steps[end])

    def use_step(self, step: int) -> str:
        """Use the checkpoint of this step of the same run."""
        side, before = self.side, self.side.source
        if side.source.run is not None:
            side.source = ModelSource("kept", kept_file(side.source.run, step))
        if side.source == before:
            return f"{side.letter} is of step {step:,} already"
        self.write(side)
        return ""


def training_facts(step: int, facts: Facts) -> list[str]:
    """Step, epoch and loss of a model, the most wanted first."""
    steps, epoch = facts.get("steps"), facts.get("epoch")
    found = [f"step {step:,}" + ("" if steps is None else f" of {steps:,}")]
    if step == 0:
        return [*found, "untrained"]
    if epoch is not None:
        found.append(f"epoch {epoch}")
    for loss, at in ((facts.get("val_loss"), step), (facts.get("last_val_loss"), facts.get("last_val_step"))):
        if loss is not None and at is not None:
            return [*found, f"val {loss:.3f} nats/char" + (f" (step {at:,})" if at != step else "")]
    loss = facts.get("loss")
    return found if loss is None else [*found, f"loss {loss:.3f} nats/char"]


def shared_length(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
