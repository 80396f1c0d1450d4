"""Text from a model, one character at a time: the notebook's `predict` and `sample` (cells 38 and 40)."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.adjusted_logits import HISTORY, NOT_FINITE, AdjustedLogits, adjusted
from charrnn_tui.sampling.char_model import CharModel, HiddenState
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.sampling.lstm_step import choose
from charrnn_tui.sampling.settings import PLAIN, SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class SampledCharacter:
    """One written character."""

    character: str
    token_id: int


@dataclass(frozen=True, eq=False)
class SamplerSnapshot:
    """A sampler between two characters, without its settings. May be restored any number of times."""

    state: HiddenState
    logits: NDArray[np.float32]  # (n_tokens), of the next character
    random_state: dict[str, Any]  # as numpy.random.PCG64.state gives it
    history: "array[int]"  # the last ids, up to HISTORY of them


def seeded(seed: int, drawn: int = 0) -> np.random.PCG64:
    """The random numbers of a seed without the first `drawn`, which are skipped at no cost. ValueError below 0."""
    if seed < 0:
        raise ValueError(f"the seed is {seed}, it must be 0 or more")
    series = np.random.PCG64(seed)
    if drawn:
        series.advance(drawn)
    return series


class Sampler(Iterator[SampledCharacter]):
    """An endless stream of characters after a prime; the same seed and settings give the same text.

    Each character uses up exactly one random number, also at temperature 0 or where it is forced. So `settings` may be
    assigned in mid-stream, from another thread too: they act on the next character, and the characters after it are
    drawn with the same numbers as before.

    state: of the network after the last character. logits: of the next character, (n_tokens), not to be written into.
    history: the ids of the last characters, those of the prime included: HISTORY of them, or up to twice as many.
    """

    def __init__(
        self,
        model: CharModel,
        vocabulary: Vocabulary,
        settings: SamplingSettings = PLAIN,
        *,
        seed: int,
        prime: str = "",
    ) -> None:
        """Read the whole prime; the first written character follows from its last one, as in the notebook.

        An empty prime counts as a line break where the alphabet has one, else as the first token. Raises
        UnknownCharacters for a prime outside the alphabet, ValueError for a negative seed or an alphabet that is not
        the model's.
        """
        if len(vocabulary) != model.n_tokens:
            raise ValueError(f"the alphabet has {len(vocabulary)} tokens, the model {model.n_tokens}")
        self.model = model
        self.vocabulary = vocabulary
        self._settings = settings
        self._distribution: Distribution | None = None
        self.reseed(seed)
        read = vocabulary.encode(prime).tolist()
        self.history = array("I", read[-HISTORY:])
        *earlier, last = read or [vocabulary.index.get("\n", 0)]
        self.state = model.initial_state()
        for token_id in earlier:
            self.state = model.advance(token_id, self.state)
        self.logits, self.state = model.step(last, self.state)

    @property
    def settings(self) -> SamplingSettings:
        """The settings of the next character."""
        return self._settings

    @settings.setter
    def settings(self, settings: SamplingSettings) -> None:
        self._settings = settings
        self._distribution = None

    @property
    def distribution(self) -> Distribution:
        """The distribution of the next character."""
        if self._distribution is None:
            self._distribution = Distribution(self.logits, self._settings, self._adjusted(self._settings))
        return self._distribution

    def __next__(self) -> SampledCharacter:
        settings, u = self._settings, self._random.random()
        drawn = self._adjusted(settings)
        token_id = choose(self.logits if drawn is None else drawn.logits, settings, u)
        if token_id is None:  # no compiled code, or no finite logits, for which Distribution raises
            token_id = Distribution(self.logits, settings, drawn).choose(u)
        elif drawn is not None:
            token_id = int(drawn.ids[token_id])
        return self._write(token_id)

    def _adjusted(self, settings: SamplingSettings) -> AdjustedLogits | None:
        return adjusted(self.logits, settings, self.vocabulary, self.history)

    def force(self, token_id: int) -> SampledCharacter:
        """Write this character instead of drawing one; the random number of its position is used up all the same.

        Raises IndexError for an id outside the alphabet, ValueError where the network gives NaN or infinite numbers.
        """
        if not 0 <= token_id < self.model.n_tokens:
            raise IndexError(f"there is no token {token_id} among {self.model.n_tokens}")
        if not np.isfinite(self.logits).all():
            raise ValueError(NOT_FINITE)
        self._random.random()
        return self._write(token_id)

    def _write(self, token_id: int) -> SampledCharacter:
        self.logits, self.state = self.model.step(token_id, self.state, self._settings.pins)
        self._distribution = None
        self.history.append(token_id)
        if len(self.history) > 2 * HISTORY:
            del self.history[:-HISTORY]
        return SampledCharacter(self.vocabulary.tokens[token_id], token_id)

    def __iter__(self) -> Self:
        return self

    def reseed(self, seed: int) -> None:
        """Continue with the random numbers of another seed."""
        self._random = np.random.Generator(seeded(seed))

    def snapshot(self) -> SamplerSnapshot:
        """This point, to return to or to fork from."""
        random_state = dict(self._random.bit_generator.state)
        return SamplerSnapshot(self.state, self.logits, random_state, self.history[-HISTORY:])

    def restore(self, snapshot: SamplerSnapshot) -> None:
        """Continue from a point of this sampler, or of another one with the same model. The settings stay."""
        self.state, self.logits, self.history = snapshot.state, snapshot.logits, snapshot.history[:]
        self._distribution = None
        self._random.bit_generator.state = snapshot.random_state
