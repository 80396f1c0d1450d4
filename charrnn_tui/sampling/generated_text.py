"""A text as a model wrote it, with the distribution of every character: to inspect, and to continue from any position.

With V tokens, L layers, H hidden units a character takes 4 V bytes of logits, 8 L H / STATE_EVERY bytes of states, and
16 besides: 412 bytes for 83 tokens and 2×512, 41 MB for 100,000 characters. A fork shares what came before it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.adjusted_logits import HISTORY, adjusted
from charrnn_tui.sampling.char_model import CharModel, HiddenState
from charrnn_tui.sampling.distribution import Distribution, surprises_and_entropies
from charrnn_tui.sampling.sampler import SampledCharacter, Sampler, SamplerSnapshot, seeded
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.sampling.stops import NEVER
from charrnn_tui.text.vocabulary import Vocabulary

STATE_EVERY: Final = 128  # characters between two stored states: any other takes 127 steps at most, 10 ms at 2×512
CHUNK: Final = 512  # characters whose logits lie in one array: what a fork copies at most
STATISTICS_AT_ONCE: Final = 64  # characters whose statistics are computed together: 3 MB for 5,000 tokens
NETWORKS_KEPT: Final = 2  # a text may be written by many weights of a training, megabytes each

Value = TypeVar("Value")


class WeightsGone(ValueError):
    """The state at a position cannot be computed any more; the message is one line."""


@dataclass(frozen=True)
class Change(Generic[Value]):
    """Settings, a seed or a network, in force from this character on."""

    position: int
    value: Value


class GeneratedText:
    """The characters written after a prime; grows by `write`. Position 0 is the first of them.

    forced: positions of characters that a person chose. settings, seeds: in force from which position on, the first
    from 0. mixed: whether weights changed in mid-text, as those of a run in training do. stop: what ended it, if
    anything did; whoever writes on takes it away.
    """

    def __init__(self, sampler: Sampler, prime: str, seed: int) -> None:
        """sampler: has read the prime and written nothing."""
        self.vocabulary: Vocabulary = sampler.vocabulary
        self.prime = prime
        self.ids = array("I")
        self._before = sampler.history[:]  # the last ids of the prime
        self._surprises = array("f")  # of the first characters, as far as computed
        self._entropies = array("f")
        self._total_bits = 0.0
        self.forced: list[int] = []
        self.settings: list[Change[SamplingSettings]] = []
        self.seeds = [Change(0, seed)]
        self._logits: list[NDArray[np.float32]] = []  # each (CHUNK, V); only the last is written to
        self._states: dict[int, HiddenState] = {0: sampler.state}
        self._end_logits = sampler.logits  # of the character after the last one
        self._networks = [Change(0, sampler.model)]
        self.mixed = False
        self.stop = NEVER

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def text(self) -> str:
        """The written characters, raw, without the prime."""
        return self.vocabulary.decode(self.ids)

    @property
    def surprises(self) -> "array[float]":
        """-log2 of the model's own probability of each character; bits, float32."""
        self.compute_statistics()
        return self._surprises

    @property
    def entropies(self) -> "array[float]":
        """Of the model's own distribution at each character; bits, float32."""
        self.compute_statistics()
        return self._entropies

    @property
    def total_bits(self) -> float:
        """The sum of the surprises."""
        self.compute_statistics()
        return self._total_bits

    @property
    def network(self) -> CharModel:
        """The one that wrote the last character."""
        return self._networks[-1].value

    def write(self, sampler: Sampler, token_id: int | None = None, *, chosen: bool = True) -> SampledCharacter:
        """Let a sampler at the end of this text write one more character: drawn, or `token_id`.

        chosen: whether a person chose `token_id`; else it is known to have been drawn there.
        Raises ValueError, before anything is written, where the network gives NaN or infinite numbers.
        """
        position, logits, state = len(self.ids), sampler.logits, sampler.state
        settings = sampler.settings
        written = next(sampler) if token_id is None else sampler.force(token_id)
        if position % STATE_EVERY == 0:
            self._states[position] = state
        row = position % CHUNK
        if row == 0:
            self._logits.append(np.empty((CHUNK, len(logits)), np.float32))
        self._logits[-1][row] = logits
        if not self.settings or self.settings[-1].value != settings:
            self.settings.append(Change(position, settings))
        if token_id is not None and chosen:
            self.forced.append(position)
        self.ids.append(written.token_id)
        self._end_logits = sampler.logits
        return written

    def change_seed(self, seed: int) -> None:
        """Record that the sampler has been reseeded at the end of this text."""
        self.seeds = [*_until(self.seeds, len(self)), Change(len(self), seed)]

    def compute_statistics(self) -> None:
        """Compute surprises and entropies now, on a thread that nobody waits for, rather than when they are asked for.

        Many characters at once: one by one takes as long as drawing them.
        """
        while (start := len(self._surprises)) < len(self):
            end = min(len(self), start + STATISTICS_AT_ONCE)
            ids = np.array(self.ids[start:end], np.intp)
            surprises, entropies = surprises_and_entropies(self.logits_between(start, end), ids)
            self._surprises.frombytes(surprises.astype(np.float32).tobytes())
            self._entropies.frombytes(entropies.astype(np.float32).tobytes())
            self._total_bits += float(surprises.sum())

    def change_network(self, network: CharModel, state: HiddenState) -> None:
        """Record that other weights continue from here; state: of the old ones, from which they continue."""
        self._states[len(self)] = state
        if self._networks[-1].position == len(self):
            self._networks.pop()
        self._networks.append(Change(len(self), network))
        self.mixed = True
        if len(self._networks) > NETWORKS_KEPT:
            gone = self._networks.pop(0).position
            end = self._networks[0].position
            for position in [position for position in self._states if gone <= position < end]:
                del self._states[position]

    def logits_between(self, start: int, end: int) -> NDArray[np.float32]:
        """That predicted the characters [start, end), shape (end - start, V)."""
        pieces = [np.zeros((0, len(self.vocabulary)), np.float32)]  # for an empty range
        while start < end:
            row, stop = start % CHUNK, min(end, start - start % CHUNK + CHUNK)
            pieces.append(self._logits[start // CHUNK][row : row + stop - start])
            start = stop
        return pieces[-1] if len(pieces) == 2 else np.concatenate(pieces)

    def settings_at(self, position: int) -> SamplingSettings:
        """Of the character there."""
        return _in_force(self.settings, position).value

    def distribution_at(self, position: int, settings: SamplingSettings | None = None) -> Distribution:
        """That predicted a character, to the last bit, under its own settings or under others. No forward pass."""
        own = self.settings_at(position) if settings is None else settings
        logits = self._logits[position // CHUNK][position % CHUNK]
        return Distribution(logits, own, adjusted(logits, own, self.vocabulary, self._history_at(position)))

    def _history_at(self, position: int) -> "array[int]":
        """The ids before a position that count for its character, those of the prime included."""
        written = self.ids[max(0, position - HISTORY) : position]
        return (self._before + written)[-HISTORY:] if position < HISTORY else written

    def snapshot_at(self, position: int) -> SamplerSnapshot:
        """The sampler before a character, or behind the last one: recomputed from the nearest stored state.

        Equal to the bit to running from the start: the same steps, from a state that lay on the way.
        Raises WeightsGone where the weights that wrote there are no longer stored.
        """
        self._check_weights(position)
        nearest = max(place for place in self._states if place <= position)
        state = self._states[nearest]
        for place in range(nearest, position):
            state = self._state_behind(place, state)
        last = _in_force(self.seeds, position)
        random_state = dict(seeded(last.value, position - last.position).state)
        return SamplerSnapshot(state, self._logits_at(position), random_state, self._history_at(position))

    def states(self, start: int, end: int, state: HiddenState | None = None) -> Iterator[HiddenState]:
        """Of the network behind each of the written characters [start, end). state: the one before `start`, if known.

        Raises WeightsGone as `snapshot_at`.
        """
        if state is None:
            state = self.snapshot_at(start).state
        for place in range(start, end):
            state = self._state_behind(place, state)
            yield state

    def _state_behind(self, place: int, before: HiddenState) -> HiddenState:
        """The state behind a character, from the one before it."""
        pins = self.settings_at(place).pins
        return _in_force(self._networks, place).value.advance(self.ids[place], before, pins)

    def prime_states(self) -> Iterator[HiddenState]:
        """Of the network behind each character of the prime. Raises WeightsGone as `snapshot_at`."""
        self._check_weights(0)
        network = self._networks[0].value
        state = network.initial_state()
        for token_id in self.vocabulary.encode(self.prime).tolist():
            state = network.advance(token_id, state)
            yield state

    def _check_weights(self, position: int) -> None:
        if not self._networks[0].position <= position <= len(self):
            raise WeightsGone("the weights that wrote this are gone: newer ones came from the training")

    def _logits_at(self, position: int) -> NDArray[np.float32]:
        """That predicted the character there, or predict the one after the last; a copy."""
        return self._end_logits if position == len(self) else self.logits_between(position, position + 1)[0].copy()

    def fork(self, position: int, seed: int | None = None) -> Self:
        """An independent text with the characters before a position; seed: of the random numbers from there on.

        Raises WeightsGone as `snapshot_at`.
        """
        self._check_weights(position)
        fork = self.__new__(type(self))
        fork.vocabulary, fork.prime, fork._end_logits = self.vocabulary, self.prime, self._logits_at(position)
        fork._before = self._before
        fork.ids, fork.forced = self.ids[:position], [place for place in self.forced if place < position]
        fork._surprises, fork._entropies = self._surprises[:position], self._entropies[:position]
        fork.settings, fork.seeds = _until(self.settings, position), _until(self.seeds, position + 1)
        if seed is not None:
            fork.seeds = [*_until(self.seeds, position), Change(position, seed)]
        fork._total_bits = float(np.sum(fork._surprises, dtype=np.float64))
        fork._logits = self._logits[: -(-position // CHUNK)]
        if position % CHUNK:
            fork._logits[-1] = fork._logits[-1].copy()  # each writes on in its own
        fork._states = {place: state for place, state in self._states.items() if place <= position}
        fork._networks = [self._networks[0], *_until(self._networks[1:], position)]
        fork.mixed, fork.stop = self.mixed, NEVER
        return fork

    @property
    def memory_bytes(self) -> int:
        """As if nothing of it were shared with other texts."""
        states = sum(state.h.nbytes + state.c.nbytes for state in self._states.values())
        return sum(chunk.nbytes for chunk in self._logits) + states + 12 * len(self)


def _in_force(changes: Sequence[Change[Value]], position: int) -> Change[Value]:
    return changes[max(0, bisect_right(changes, position, key=lambda change: change.position) - 1)]


def _until(changes: Sequence[Change[Value]], position: int) -> list[Change[Value]]:
    return [change for change in changes if change.position < position]
