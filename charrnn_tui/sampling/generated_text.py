"""A text as a model wrote it, with the whole distribution of every character: to look back, and to go on from anywhere.

With V tokens, L layers, H hidden units a character takes 4 V bytes of logits, 8 L H / STATE_EVERY bytes of states, and
16 besides: 412 bytes for 83 tokens and 2×512, 41 MB for 100,000 characters. A fork shares what came before it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.distribution import Distribution, surprises_and_entropies
from charrnn_tui.sampling.lstm import CharLSTM, LSTMState
from charrnn_tui.sampling.sampler import SampledCharacter, Sampler, SamplerSnapshot, seeded
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary

STATE_EVERY: Final = 128  # characters; the way to any other place is 127 steps at most, some 25 ms at 2×512
CHUNK: Final = 512  # characters whose logits lie in one array: what a fork copies at most
LOOKED_AT: Final = 64  # characters whose distributions are computed at once: 3 MB for 5,000 tokens
NETWORKS_KEPT: Final = 2  # a text may live through many weights of a training, each of megabytes

Value = TypeVar("Value")


class WeightsGone(ValueError):
    """The state at a place cannot be had any more; the message is one line."""


@dataclass(frozen=True)
class Change(Generic[Value]):
    """What held from this character on: settings, a seed, a network."""

    position: int
    value: Value


class GeneratedText:
    """What was written after a prime; grows by `write`. Positions count written characters, the prime has none.

    forced: positions of characters that a person chose. settings, seeds: what was in force from where on, the first
    from 0.
    """

    def __init__(self, sampler: Sampler, prime: str, seed: int) -> None:
        """prime: as the sampler has read it, standing behind it."""
        self.vocabulary: Vocabulary = sampler.vocabulary
        self.prime = prime
        self.ids = array("I")
        self._surprises = array("f")  # of as many characters as somebody has asked for
        self._entropies = array("f")
        self._total_bits = 0.0
        self.forced: list[int] = []
        self.settings: list[Change[SamplingSettings]] = []
        self.seeds = [Change(0, seed)]
        self._logits: list[NDArray[np.float32]] = []  # each (CHUNK, n_tokens); all but the last are never written to
        self._states: dict[int, LSTMState] = {0: sampler.state}
        self._start_logits = sampler.logits
        self._networks = [Change(0, sampler.model)]
        self._mixed = False

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def text(self) -> str:
        """What was written, raw, without the prime."""
        return self.vocabulary.decode(self.ids)

    @property
    def surprises(self) -> array[float]:
        """-log2 of the model's own probability of each character: bits, float32."""
        self.look()
        return self._surprises

    @property
    def entropies(self) -> array[float]:
        """Of the model's own distribution at each character: bits, float32."""
        self.look()
        return self._entropies

    @property
    def total_bits(self) -> float:
        """The sum of the surprises."""
        self.look()
        return self._total_bits

    @property
    def network(self) -> CharLSTM:
        """The one that wrote last."""
        return self._networks[-1].value

    @property
    def mixed(self) -> bool:
        """Whether newer weights came in mid-text, as those of a run in training do."""
        return self._mixed

    @property
    def seed(self) -> int:
        """The seed of the random numbers at the end."""
        return self.seeds[-1].value

    def write(self, sampler: Sampler, token_id: int | None = None, *, chosen: bool = True) -> SampledCharacter:
        """Let a sampler that stands at the end of this page write one more character, drawn or forced.

        chosen: whether a person forced it; else it is one that is known to have been drawn.

        Raises ValueError, before anything is written, where the network gives no numbers.
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
        if not self.settings or self.settings[-1].value is not settings:
            self._settings_changed(position, settings)
        if token_id is not None and chosen:
            self.forced.append(position)
        self.ids.append(written.token_id)
        return written

    def change_seed(self, seed: int) -> None:
        """Other random numbers from here on; the sampler has been given them."""
        self.seeds = [*_until(self.seeds, len(self)), Change(len(self), seed)]

    def look(self) -> None:
        """Compute what the model thought of the latest characters, many at once: one by one is as slow as drawing them.

        Who asks for it has it computed; this is for a thread that nobody waits for.
        """
        while (start := len(self._surprises)) < len(self):
            end = min(len(self), start + LOOKED_AT)
            ids = np.array(self.ids[start:end], np.intp)
            surprises, entropies = surprises_and_entropies(self.logits_between(start, end), ids)
            self._surprises.frombytes(surprises.astype(np.float32).tobytes())
            self._entropies.frombytes(entropies.astype(np.float32).tobytes())
            self._total_bits += float(surprises.sum())

    def _settings_changed(self, position: int, settings: SamplingSettings) -> None:
        if self.settings and self.settings[-1].value == settings:
            self.settings[-1] = Change(self.settings[-1].position, settings)  # equal, and found so faster the next time
        else:
            self.settings.append(Change(position, settings))

    def change_network(self, network: CharLSTM, state: LSTMState) -> None:
        """Other weights go on from here, from the state in which the old ones stand."""
        self._states[len(self)] = state
        if self._networks[-1].position == len(self):
            self._networks.pop()
        self._networks.append(Change(len(self), network))
        self._mixed = True
        if len(self._networks) > NETWORKS_KEPT:
            gone = self._networks.pop(0).position
            end = self._networks[0].position
            for position in [position for position in self._states if gone <= position < end]:
                del self._states[position]

    def logits_between(self, start: int, end: int) -> NDArray[np.float32]:
        """What the network made of the characters [start, end), shape (end - start, n_tokens)."""
        pieces = [np.zeros((0, len(self.vocabulary)), np.float32)]
        while start < end:
            row, stop = start % CHUNK, min(end, start - start % CHUNK + CHUNK)
            pieces.append(self._logits[start // CHUNK][row : row + stop - start])
            start = stop
        return pieces[-1] if len(pieces) == 2 else np.concatenate(pieces)

    def settings_at(self, position: int) -> SamplingSettings:
        """With what a character was chosen."""
        return _in_force(self.settings, position).value

    def distribution_at(self, position: int, settings: SamplingSettings | None = None) -> Distribution:
        """What predicted a character, to the last bit, under its own settings or under others. No forward pass."""
        own = self.settings_at(position) if settings is None else settings
        return Distribution(self._logits[position // CHUNK][position % CHUNK], own)

    def snapshot_at(self, position: int) -> SamplerSnapshot:
        """Where the sampler stood before a character, or stands behind the last one: recomputed from the nearest state.

        Equal to the bit to what running from the start gives: the same steps, from a state that lay on the way.
        Raises WeightsGone where the weights that wrote there are no longer kept.
        """
        if not self._networks[0].position <= position <= len(self):
            raise WeightsGone("the weights that wrote this are gone: newer ones came from the training")
        oldest = self._networks[0].position
        at_end = position == len(self) > oldest  # where only the step that led there knows the logits to the bit
        nearest = max(place for place in self._states if place < position + (not at_end))
        state, logits = self._states[nearest], None
        for place in range(nearest, position):
            network = _in_force(self._networks, place).value
            if place + 1 < position or position < len(self):
                state = network.advance(self.ids[place], state)
            else:
                logits, state = network.step(self.ids[place], state)
        if position < len(self):
            logits = self._logits[position // CHUNK][position % CHUNK].copy()
        elif logits is None:
            logits = self._logits_of_state(position, state)
        last = _in_force(self.seeds, position)
        return SamplerSnapshot(state, logits, dict(seeded(last.value, position - last.position).state))

    def _logits_of_state(self, position: int, state: LSTMState) -> NDArray[np.float32]:
        """Where nothing older is kept: at the beginning, or where the weights that led there are gone."""
        if position == 0:
            return self._start_logits
        return _in_force(self._networks, position - 1).value.read_out(state)

    def fork(self, position: int, seed: int | None = None) -> GeneratedText:
        """A page of its own with the characters before a position, and other random numbers from there where asked.

        Raises WeightsGone as `snapshot_at`.
        """
        if position < self._networks[0].position:
            raise WeightsGone("the weights that wrote this are gone: newer ones came from the training")
        page = GeneratedText.__new__(GeneratedText)
        page.vocabulary, page.prime, page._start_logits = self.vocabulary, self.prime, self._start_logits
        page.ids, page.forced = self.ids[:position], [place for place in self.forced if place < position]
        page._surprises, page._entropies = self._surprises[:position], self._entropies[:position]
        page.settings, page.seeds = _until(self.settings, position), _until(self.seeds, position + 1)
        if seed is not None:
            page.seeds = [*_until(self.seeds, position), Change(position, seed)]
        page._total_bits = float(np.sum(page._surprises, dtype=np.float64))
        page._logits = self._logits[: -(-position // CHUNK)]
        if position % CHUNK:
            page._logits[-1] = page._logits[-1].copy()  # the pages part in it
        page._states = {place: state for place, state in self._states.items() if place <= position}
        page._networks = [self._networks[0], *_until(self._networks[1:], position)]
        page._mixed = self._mixed
        return page

    @property
    def memory_bytes(self) -> int:
        """What it holds, as if nothing of it were shared."""
        states = sum(state.h.nbytes + state.c.nbytes for state in self._states.values())
        return sum(chunk.nbytes for chunk in self._logits) + states + 12 * len(self)


def _in_force(changes: Sequence[Change[Value]], position: int) -> Change[Value]:
    return changes[max(0, bisect_right(changes, position, key=lambda change: change.position) - 1)]


def _until(changes: Sequence[Change[Value]], position: int) -> list[Change[Value]]:
    return [change for change in changes if change.position < position]
