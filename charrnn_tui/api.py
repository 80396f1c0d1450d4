"""The Python API: `import charrnn_tui as c`. docs/python.md says what of it is stable.

Losses are in nats per character. A RUN is the name or the directory of a run, as on the command line; runs_dir is where
runs are kept, or else CHARRNN_TUI_RUNS or the user's data directory.
"""

import difflib
import re
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import FrameType
from typing import Any, Self, TypedDict, Unpack

import numpy as np

from charrnn_tui.run.control import Control, Stop
from charrnn_tui.run.directory import RunDirectory, list_runs
from charrnn_tui.run.events import Event
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import bits, bits_per_byte, perplexity
from charrnn_tui.run.settings import (
    DEFAULT_PRESET,
    Device,
    OnHangup,
    Precision,
    Preset,
    RunRequest,
    Schedule,
    settings_for,
)
from charrnn_tui.runner.export import export_model
from charrnn_tui.runner.facts import checkpoint_facts, run_facts
from charrnn_tui.runner.failures import explain
from charrnn_tui.runner.find_model import locate_checkpoint, open_model
from charrnn_tui.runner.resume import MAY_CHANGE, resume_run
from charrnn_tui.runner.runs_directory import default_runs_directory
from charrnn_tui.runner.start import Started, start_run
from charrnn_tui.sampling.adjusted_logits import check_characters
from charrnn_tui.sampling.pins import check_pins
from charrnn_tui.sampling.recipe import Recipe, follow
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.scoring import sequence_losses
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.sampling.short_lines import usual_prime, writes_short_lines
from charrnn_tui.sampling.stops import Stop as TextStop
from charrnn_tui.sampling.stops import check_stop
from charrnn_tui.text.byte_text import joined, joined_pieces
from charrnn_tui.text.known_text import Unknown, known_text
from charrnn_tui.text.long_text import bytes_per_char
from charrnn_tui.text.text_names import files_of

PathLike = str | Path
OnEvent = Callable[[Event], None]


class Error(Exception):
    """Something that the caller can set right: a file, a text, a value. The message is one line."""

    __module__ = "charrnn_tui"  # where users find it


@dataclass(frozen=True)
class Score:
    """How well a model predicts a text.

    loss: mean over the characters, in nats per character. chars: how many were predicted: all but the first.
    bytes_per_char: of these characters, in UTF-8.
    """

    loss: float
    chars: int
    bytes_per_char: float = 1.0

    @property
    def bits_per_char(self) -> float:
        """The loss in bits."""
        return bits(self.loss)

    @property
    def bits_per_byte(self) -> float:
        """The loss in bits a byte of the text in UTF-8, which compares models of other alphabets."""
        return bits_per_byte(self.loss, self.bytes_per_char)

    @property
    def perplexity(self) -> float:
        """Of one character: that of uniform guessing is the size of the alphabet."""
        return perplexity(self.loss)


class Controls(TypedDict, total=False):
    """How a character is chosen; None is off.

    First, on the logits: ban: characters that are never written. only: those beside which nothing is written. dry: the
    multiplier of the penalty on repetition (DRY), such as 0.8. dry_length: the characters that may be repeated without
    it, 12 where it is not given.

    Then, in this order: temperature: divides the logits, 0 or more; 0 always takes the likeliest character. top_k: only
    the k likeliest. top_p: only the fewest likeliest whose probabilities add up to p. min_p: only those with at least p
    times the largest probability.

    pin: units of the network that are held while writing, such as "2.17=-1", or added to, "2.17+=0.5": layer and unit.
    """

    temperature: float
    top_k: int | None
    top_p: float | None
    min_p: float | None
    dry: float | None
    dry_length: int
    ban: str | None
    only: str | None
    pin: str | None


class Settings(TypedDict, total=False):
    """The settings of a training: the options of `charrnn-tui train`, whose help says what they do.

    skip_head, skip_tail: characters that are left out at the ends of the text. min_count: characters that occur less
    often become one, U+FFFD. weights: how often an epoch reads each file, such as "3,1" for two. init_from: the model
    that the training starts from; old_text: a text whose end validations read, too. lr: the learning rate, its peak
    under one-cycle. budget: seconds. val_frac: share of the text, at its end, held out. val_chars, sample_length:
    characters. print_every: steps between two validations. threads: None is the fastest. ranks: processes that train
    together, of which this one is the first.
    """

    encoding: str
    skip_head: int
    skip_tail: int
    min_count: int
    weights: str
    init_from: str
    old_text: str
    n_hidden: int
    n_layers: int
    drop_prob: float
    epochs: int
    batch_size: int
    seq_length: int
    lr: float
    clip: float
    val_frac: float
    val_chars: int
    print_every: int
    schedule: Schedule
    weight_drop: float
    exact_dropout: bool
    weight_decay: float
    forget_bias: float
    output_bias: bool
    seed: int
    device: Device
    precision: Precision
    threads: int | None
    ranks: int
    max_steps: int | None
    budget: float | None
    patience: int | None
    keep_checkpoints: int
    sample_prime: str
    sample_length: int
    sample_top_k: int
    sample_seed: int
    on_hangup: OnHangup


class Model:
    """A trained model, from `load` or `Run.load`. Threads may share it."""

    def __init__(self, path: Path, tokens: Sequence[str] | None = None) -> None:
        self.path = path
        self._checkpoint, self._network = open_model(path, tokens)
        self._facts: dict[str, Any] = checkpoint_facts(path, self._checkpoint)

    def __repr__(self) -> str:
        sizes = f"{self._checkpoint.n_layers}×{self._checkpoint.n_hidden}"
        return f"<Model {self.path.name}: {self._checkpoint.cell.upper()} {sizes}, {len(self.vocabulary)} characters>"

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The characters that the model knows, each at the place of its id.

        >>> model = load("anna")
        >>> len(model.vocabulary), model.vocabulary[model.vocabulary.index("A")]
        (83, 'A')
        """
        return self._checkpoint.vocabulary.tokens

    @property
    def parameters(self) -> int:
        """How many parameters the model has.

        >>> load("anna").parameters > 1_000_000
        True
        """
        return self._checkpoint.parameters

    @property
    def facts(self) -> dict[str, Any]:
        """What `charrnn-tui info --json` says of the model, under the same keys; None for what the file does not say.

        >>> facts = load("anna").facts
        >>> facts["corpus"], facts["tokens"], 1 < facts["val_loss"] < 2
        ('anna', 83, True)
        """
        return dict(self._facts)

    def sample(
        self,
        prime: str | None = None,
        length: int = 1000,
        *,
        seed: int | None = None,
        until: str | Iterable[str] = (),
        lines: int | None = None,
        unknown: Unknown = "refuse",
        **controls: Unpack[Controls],
    ) -> str:
        """Write a text: the prime, and at most `length` characters after it, as `charrnn-tui sample` prints it.

        prime: None is what the command line begins with: "The", or nothing for a model of short lines. seed: the same
        one writes the same text; None is random. until: the text ends behind the first of these strings that is
        written. lines: it ends with so many line feeds. unknown: what becomes of characters of the prime that the model
        does not know: refuse them, convert the prime into the model's Unicode form, or skip them. controls: see
        `Controls`. Raises Error for a value out of its range, and for unknown characters.

        >>> model = load("anna")
        >>> text = model.sample("Anna", 60, top_k=5, seed=1)
        >>> len(text), text == model.sample("Anna", 60, top_k=5, seed=1), text == model.sample("Anna", 60, seed=1)
        (64, True, False)
        """
        begin, characters = self._text(prime, length, seed, until, lines, unknown, controls)
        return joined(begin + "".join(characters))

    def stream(
        self,
        prime: str | None = None,
        length: int | None = None,
        *,
        seed: int | None = None,
        until: str | Iterable[str] = (),
        lines: int | None = None,
        unknown: Unknown = "refuse",
        **controls: Unpack[Controls],
    ) -> Iterator[str]:
        """The characters of `sample` after the prime, each as soon as it is written; length None: without end.

        Raises Error as `sample` does, at the call.

        >>> for character in load("anna").stream("Ann", 5, temperature=0):
        ...     print(character, end="")  # doctest: +ELLIPSIS
        a...
        """
        return self._text(prime, sys.maxsize if length is None else length, seed, until, lines, unknown, controls)[1]

    def distribution(
        self, prime: str | None = None, *, unknown: Unknown = "refuse", **controls: Unpack[Controls]
    ) -> dict[str, float]:
        """The probability of each character that may follow the prime, the likeliest first; they add up to 1.

        Without controls these are the model's own, of all its characters. Raises Error as `sample` does.

        >>> after = load("anna").distribution("Ann", top_k=2)
        >>> max(after, key=after.__getitem__), len(after), round(sum(after.values()), 6)
        ('a', 2, 1.0)
        """
        with _errors(ValueError):
            sampler = self._start(prime, 0, unknown, controls)[1]
            distribution, tokens = sampler.distribution, self.vocabulary
            statistics = {tokens[each]: distribution.statistics(each) for each in distribution.candidates.tolist()}
        return {character: each.chosen_probability for character, each in statistics.items()}

    def score(self, text: str, *, unknown: Unknown = "refuse") -> Score:
        """The loss of a text read once from its beginning, as `charrnn-tui score` computes it.

        Raises Error for unknown characters, and for a text of fewer than two.

        >>> score = load("anna").score("Happy families are all alike")
        >>> score.chars, 1 < score.loss < 2, 1.4 < score.bits_per_char < 3, 2.7 < score.perplexity < 7.4
        (27, True, True, True)
        """
        vocabulary = self._checkpoint.vocabulary
        with _errors(ValueError):
            ids = vocabulary.encode(known_text(text, vocabulary, unknown, "the text")[0])
            self._network.wait_for_compiled_code()
            losses = np.concatenate(list(sequence_losses(self._network, ids)))
        return Score(float(losses.mean()), len(losses), bytes_per_char(ids[1:], vocabulary) or 1.0)

    def save(self, path: PathLike, *, force: bool = False) -> Path:
        """Write the model as `charrnn-tui export` does: .safetensors, .net or .onnx, by the ending. Returns the path.

        Raises Error for another ending, and for a file that exists already, unless force.
        """
        with _errors(ValueError):
            export_model(self._checkpoint, Path(path), force)
        return Path(path)

    @cached_property
    def _usual_prime(self) -> str:
        vocabulary = self._checkpoint.vocabulary
        return usual_prime(vocabulary, writes_short_lines(self._network, vocabulary, self._checkpoint.facts))

    def _start(self, prime: str | None, seed: int, unknown: str, controls: Controls) -> tuple[Recipe, Sampler]:
        """A text without a length or an end."""
        vocabulary, settings = self._checkpoint.vocabulary, SamplingSettings(**controls)
        check_characters(settings, vocabulary)
        check_pins(settings.pins, self._network.n_layers, self._network.n_hidden)
        self._network.wait_for_compiled_code()
        known, _ = known_text(self._usual_prime if prime is None else prime, vocabulary, unknown, "the prime")
        recipe = Recipe(str(self.path), self._facts["sha256"], known, 0, {0: seed}, {0: settings}, {})
        return recipe, recipe.start(self._network, vocabulary)

    def _text(
        self,
        prime: str | None,
        length: int,
        seed: int | None,
        until: str | Iterable[str],
        lines: int | None,
        unknown: str,
        controls: Controls,
    ) -> tuple[str, Iterator[str]]:
        """A prime, and the characters after it."""
        vocabulary = self._checkpoint.vocabulary
        with _errors(ValueError):
            if length < 0:
                raise ValueError(f"length is {length}, it must be 0 or more")
            stop = TextStop((until,) if isinstance(until, str) else tuple(until), lines)
            check_stop(stop, vocabulary)
            start = secrets.randbelow(1 << 31) if seed is None else seed
            recipe, sampler = self._start(prime, start, unknown, controls)
        written = follow(replace(recipe, length=length, stop=stop.for_alphabet(vocabulary)), sampler)
        characters = (each.character for each in written)
        return recipe.prime, filter(None, joined_pieces(characters)) if vocabulary.of_bytes else characters


class Run:
    """A training on disk, from `train` or `runs`; what it says is read from its files each time."""

    def __init__(self, directory: PathLike) -> None:
        self._run = RunDirectory(Path(directory))

    def __repr__(self) -> str:
        return f"<Run {self.name}: {self.state}>"

    @property
    def name(self) -> str:
        """The run's name: that of its directory."""
        return self._run.name

    @property
    def directory(self) -> Path:
        """Where its files are."""
        return self._run.path

    @property
    def state(self) -> str:
        """preparing, training, detached, paused, finished, stopped, interrupted or failed."""
        return self._run.progress().state

    @property
    def best_loss(self) -> float | None:
        """The least validation loss; None before the first validation. It depends on the batches, which `facts` has."""
        best = self._run.progress().best_evaluation
        return None if best is None else best.val_loss

    @property
    def facts(self) -> dict[str, Any]:
        """What `charrnn-tui runs --json` says of the run, under the same keys."""
        return run_facts(self._run)

    def load(self) -> Model:
        """Its best model, or the last one where nothing was validated. Raises Error where none is saved yet."""
        with _errors():
            return Model(locate_checkpoint(self.directory, self.directory.parent))

    def resume(self, *, on_event: OnEvent | None = None, **changes: Unpack[Settings]) -> Self:
        """Continue a training that has ended, exactly as if it had not; see `train`.

        changes: of the settings that may change: epochs, max_steps, budget, patience, lr, device, precision, threads,
        ranks, keep_checkpoints, on_hangup. Raises Error where there is nothing to resume, or another process trains it.
        """
        _refuse_unknown_settings("resume", changes, MAY_CHANGE)
        given: dict[str, Any] = dict.fromkeys(MAY_CHANGE) | changes
        _train(partial(resume_run, self._run, changes=given), on_event)
        return self


def load(reference: PathLike, *, runs_dir: PathLike | None = None, tokens: Sequence[str] | None = None) -> Model:
    """Load a model: a file (.safetensors or .net), the best one of a RUN, or a shipped model by its name.

    tokens: the alphabet of a torch file that has none, in the order of the model's inputs. Raises Error.

    >>> load("anna")  # doctest: +ELLIPSIS
    <Model anna.safetensors: LSTM ..., 83 characters>
    >>> load("no-such-model")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    charrnn_tui.Error: no-such-model: no such file, and no run of this name in ...
    """
    with _errors():
        return Model(locate_checkpoint(reference, _runs_directory(runs_dir)), tokens)


def runs(*, runs_dir: PathLike | None = None) -> list[Run]:
    """All runs, the most recently written first."""
    return [Run(run.path) for run in list_runs(_runs_directory(runs_dir))]


def train(
    corpus: PathLike | Iterable[PathLike],
    *,
    preset: Preset = DEFAULT_PRESET,
    name: str | None = None,
    on_event: OnEvent | None = None,
    runs_dir: PathLike | None = None,
    **settings: Unpack[Settings],
) -> Run:
    """Train a model as `charrnn-tui train` does, and return when it has ended.

    corpus: text files, directories or patterns, read in the order given; "demo:python" is a text that every machine
    has. preset: quick, thorough or notebook. settings: see `Settings`; those that are not given are the preset's,
    fitted to the text. on_event: is called with each event (`charrnn_tui.events`) on this thread, between two steps.

    Ctrl-C saves the training, then raises KeyboardInterrupt; an exception of on_event saves it, too; `Run.resume`
    continues it. Raises Error for a text or a setting that is wrong, and where the training fails; TypeError for a
    setting that does not exist.

    >>> run = train("my.txt", n_hidden=16, n_layers=1, max_steps=20, name="first")
    >>> run, run.best_loss < 4
    (<Run first: finished>, True)
    >>> run.load().sample(length=20, seed=1) == load("first").sample(length=20, seed=1)
    True
    """
    _refuse_unknown_settings("train", settings, Settings.__annotations__)
    with _errors():
        paths = [str(path) for path in ([corpus] if isinstance(corpus, PathLike) else corpus)]
        if not paths:
            raise Error("corpus is empty, it must be one or more text files")
        given = frozenset(field for field, value in settings.items() if value is not None)
        request = RunRequest(
            files_of(paths, settings.get("encoding") or "utf-8").files, settings_for(preset, **settings), name, given
        )
    return _train(partial(start_run, request, _runs_directory(runs_dir)), on_event)


def _train(begin: Callable[[Control], Started], on_event: OnEvent | None) -> Run:
    control, progress = Control(), RunProgress()
    with _interruption(control) as interrupted:
        with _errors():
            directory, events = begin(control)
        with closing(events):
            while (event := _next(events)) is not None:
                progress.add(event)
                if on_event is not None:
                    on_event(event)
    if interrupted.is_set():
        raise KeyboardInterrupt
    if progress.state == "failed":
        raise Error(f"{directory.name}: the training failed: {progress.reason}")
    if progress.unsaved is not None:
        raise Error(f"{directory.name}: the model of step {progress.step:,} is lost: {progress.unsaved}")
    return Run(directory.path)


def _next(events: Generator[Event, None, None]) -> Event | None:
    with _errors():
        return next(events, None)


@contextmanager
def _interruption(control: Control) -> Iterator[threading.Event]:
    """While inside, the first Ctrl-C asks the training to save and stop; the next one raises KeyboardInterrupt at once.

    Not on another thread than the main one, nor where the program has a handler of its own.
    """
    received = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        received.set()
        control.request(Stop("interrupted", "interrupted by Ctrl-C"))
        signal.signal(signal.SIGINT, signal.default_int_handler)

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield received
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _errors(*others: type[Exception]) -> Iterator[None]:
    """Raise Error for what a user can set right, or for others, in the words of the command line."""
    try:
        yield
    except Exception as error:
        explained = explain(error)
        if explained is not None:
            message = explained[0]
        elif isinstance(error, others):
            message = str(error)
        else:
            raise
        raise Error(_in_python(message)) from None


def _in_python(message: str) -> str:
    """`--n-hidden` is n_hidden, and `--unknown skip` unknown="skip", unless a whole command is quoted."""
    if "charrnn-tui" in message:
        return message
    message = re.sub(r"--unknown (\w+)", r'unknown="\1"', " ".join(message.splitlines()))
    return re.sub(r"--([a-z]+(?:-[a-z]+)*)", lambda match: match[1].replace("-", "_"), message)


def _refuse_unknown_settings(function: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"{function}() has no setting {name!r}{hint}")


def _runs_directory(given: PathLike | None) -> Path:
    return (default_runs_directory() if given is None else Path(given).expanduser()).absolute()
