"""Text out of a model, one character at a time (notebook cells 38 and 40)."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.distribution import NOT_FINITE, Distribution
from charrnn_tui.sampling.lstm import CharLSTM, LSTMState
from charrnn_tui.sampling.lstm_step import choose
from charrnn_tui.sampling.settings import PLAIN, SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary

_PROGRESS_EVERY = 256  # characters of a prime between two reports: some twenty reports a second


@dataclass(frozen=True, slots=True)
class SampledCharacter:
    """One written character; what the model thought of it is computed anew each time it is asked for.

    logits: what predicted it, (n_tokens,). settings: what it was chosen with.
    """

    character: str
    token_id: int
    logits: NDArray[np.float32] = field(repr=False, compare=False)
    settings: SamplingSettings = field(repr=False, compare=False)

    @property
    def distribution(self) -> Distribution:
        """What it was drawn from."""
        return Distribution(self.logits, self.settings)

    @property
    def rank(self) -> int:
        """Its place among all tokens, 1 the likeliest."""
        return self.distribution.place_of(self.token_id) + 1

    @property
    def probability(self) -> float:
        """The model's own, at temperature 1 with nothing dropped."""
        distribution = self.distribution
        return distribution.before_at(distribution.place_of(self.token_id))

    @property
    def chosen_probability(self) -> float:
        """After temperature and truncation: what it was drawn with."""
        distribution = self.distribution
        return distribution.after_at(distribution.place_of(self.token_id))

    @property
    def surprise_bits(self) -> float:
        """-log2 of `probability`."""
        distribution = self.distribution
        return distribution.surprise_bits_at(distribution.place_of(self.token_id))

    @property
    def entropy_bits(self) -> float:
        """Of the model's own distribution."""
        return self.distribution.entropy_bits


@dataclass(frozen=True, eq=False)
class SamplerSnapshot:
    """Where a sampler stands between two characters, settings aside. Good for any number of `restore`s."""

    state: LSTMState
    logits: NDArray[np.float32]
    random_state: dict[str, Any]  # as numpy.random.PCG64.state gives it


def seeded(seed: int, drawn: int = 0) -> np.random.PCG64:
    """The series of random numbers of a seed, `drawn` characters on, at no cost. Raises ValueError below 0."""
    if seed < 0:
        raise ValueError(f"the seed is {seed}, it must be 0 or more")
    series = np.random.PCG64(seed)
    if drawn:
        series.advance(drawn)
    return series


class Sampler(Iterator[SampledCharacter]):
    """An endless stream of characters after a prime; the same seed and settings give the same text.

    Each character uses up exactly one random number, also at temperature 0: `settings` may be assigned in mid-stream,
    from another thread too, acts on the next character, and what follows still meets the same numbers.
    """

    def __init__(
        self,
        model: CharLSTM,
        vocabulary: Vocabulary,
        settings: SamplingSettings = PLAIN,
        *,
        seed: int,
        prime: str = "",
        unknown: Literal["raise", "skip"] = "raise",
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        """Read the prime, every character of it; the first one written follows from its last, as in the notebook.

        An empty prime starts as after a line break, where the alphabet has one, or else as after the first token.
        on_progress hears, every 256 characters, how many have been read; what it raises ends the reading.
        Raises UnknownCharacters for a prime outside the alphabet unless they are to be skipped, ValueError for a
        negative seed or an alphabet that is not the model's.
        """
        if len(vocabulary) != model.n_tokens:
            raise ValueError(f"the alphabet has {len(vocabulary)} tokens, the model {model.n_tokens}")
        self.model = model
        self.vocabulary = vocabulary
        self._settings = settings
        self._distribution: Distribution | None = None
        self.reseed(seed)
        ids = vocabulary.encode(prime) if unknown == "raise" else vocabulary.encode_known(prime)
        *earlier, last = ids.tolist() or [vocabulary.index.get("\n", 0)]
        self._state = model.initial_state()
        for done, token_id in enumerate(earlier):
            if on_progress is not None and done % _PROGRESS_EVERY == 0:
                on_progress(done)
            self._state = model.advance(token_id, self._state)
        self._logits, self._state = model.step(last, self._state)

    @property
    def settings(self) -> SamplingSettings:
        """What the next character will be chosen with."""
        return self._settings

    @settings.setter
    def settings(self, settings: SamplingSettings) -> None:
        self._settings = settings
        self._distribution = None

    @property
    def distribution(self) -> Distribution:
        """What the next character will be drawn from."""
        if self._distribution is None:
            self._distribution = Distribution(self._logits, self._settings)
        return self._distribution

    @property
    def state(self) -> LSTMState:
        """What the network remembers of everything up to here."""
        return self._state

    @property
    def logits(self) -> NDArray[np.float32]:
        """What the network makes of it for the next character, shape (n_tokens,); nobody may write into it."""
        return self._logits

    def __next__(self) -> SampledCharacter:
        settings, drawn = self._settings, self._random.random()
        token_id = choose(self._logits, settings, drawn)
        if token_id is None:
            token_id = Distribution(self._logits, settings).choose(drawn)
        return self._write(token_id, settings)

    def force(self, token_id: int) -> SampledCharacter:
        """Write this character, whatever would have been drawn; the random number of its place is used up all the same.

        Raises IndexError for an id outside the alphabet, ValueError where the network gives no numbers.
        """
        if not 0 <= token_id < self.model.n_tokens:
            raise IndexError(f"there is no token {token_id} among {self.model.n_tokens}")
        if not np.isfinite(self._logits).all():
            raise ValueError(NOT_FINITE)
        self._random.random()
        return self._write(token_id, self._settings)

    def _write(self, token_id: int, settings: SamplingSettings) -> SampledCharacter:
        logits = self._logits
        self._logits, self._state = self.model.step(token_id, self._state)
        self._distribution = None
        return SampledCharacter(self.vocabulary.tokens[token_id], token_id, logits, settings)

    def __iter__(self) -> Self:
        return self

    def reseed(self, seed: int, drawn: int = 0) -> None:
        """Start another series of random numbers here, the first `drawn` of them used up: another continuation."""
        self._random = np.random.Generator(seeded(seed, drawn))

    def fork(self) -> Self:
        """Another one that stands at the same point, with the same settings."""
        other = copy.copy(self)
        other._random = copy.deepcopy(self._random)
        return other

    def snapshot(self) -> SamplerSnapshot:
        """This point, to come back to or to fork from."""
        return SamplerSnapshot(self._state, self._logits, dict(self._random.bit_generator.state))

    def restore(self, snapshot: SamplerSnapshot) -> None:
        """Go back to a point of this sampler, or of another one with the same model. The settings stay."""
        self._state, self._logits = snapshot.state, snapshot.logits
        self._distribution = None
        self._random.bit_generator.state = snapshot.random_state
