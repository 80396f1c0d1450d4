"""Reads primes that share their beginnings, as those do that a person types, without reading anything twice."""

import threading
from array import array
from collections.abc import Callable
from typing import Final

import numpy as np

from charrnn_tui.sampling.adjusted_logits import HISTORY
from charrnn_tui.sampling.char_model import CharModel, HiddenState
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Ids, Vocabulary

STATE_EVERY: Final = 128  # characters; with 2×512 units 8 kB a state, 6 MB for a prime of 100,000 characters
GREEDY: Final = SamplingSettings(temperature=0)


class PrimeReader:
    """Stores the state at the end of the last prime and at every 128th character of it.

    A prime that begins like the last one is read from the nearest stored state on, to the bit as if all of it were
    read. Threads may share a reader; those that read the same prime at the same time share the work, too.
    """

    def __init__(self, model: CharModel, vocabulary: Vocabulary) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self._ids: Ids = np.empty(0, vocabulary.dtype)
        self._states: dict[int, HiddenState] = {0: model.initial_state()}  # by how many ids have been read
        self._lock = threading.Lock()

    def read(self, prime: str, on_progress: Callable[[int], None] | None = None) -> Sampler:
        """A sampler with seed 0 that has read the prime; characters outside the alphabet are skipped.

        on_progress is called every 128 characters with how many have been read, and may raise to end the reading; the
        states up to there are stored.
        """
        sampler = Sampler(self.model, self.vocabulary, seed=0)
        ids = self.vocabulary.encode_known(prime)
        if not len(ids):
            return sampler
        done, state = 0, self.model.initial_state()
        while done < len(ids) - 1:
            if on_progress is not None:
                on_progress(done)
            with self._lock:  # one piece at a time, so that two readers of one prime take turns and both get on
                done, state = self._read_piece(ids[:-1])
        sampler.logits, sampler.state = self.model.step(int(ids[-1]), state)
        sampler.history = array("I", ids[-HISTORY:].tolist())
        return sampler

    def predict(self, prime: str, most: int, on_progress: Callable[[int], None] | None = None) -> str:
        """The continuation at temperature 0: at most `most` characters, up to the end of its first line with text.

        Raises ValueError where the model gives NaN or infinite numbers; on_progress as in `read`.
        """
        sampler = self.read(prime, on_progress)
        sampler.settings = GREEDY
        written = ""
        while len(written) < most and not (written.endswith("\n") and written.strip("\n")):
            written += next(sampler).character
        return written

    def _read_piece(self, ids: Ids) -> tuple[int, HiddenState]:
        """Read up to the next position whose state is stored. Returns that position and the state."""
        self._forget_other_primes(ids)
        done = max(self._states)
        state = self._states[done]
        end = min(len(ids), (done // STATE_EVERY + 1) * STATE_EVERY)
        for token_id in ids[done:end].tolist():
            state = self.model.advance(token_id, state)
        if done % STATE_EVERY:
            del self._states[done]  # it was the end of a shorter prime
        self._states[end] = state
        return end, state

    def _forget_other_primes(self, ids: Ids) -> None:
        """Drop the states behind the first character that differs from these ids."""
        common = min(len(ids), len(self._ids))
        differing = np.flatnonzero(ids[:common] != self._ids[:common])
        shared = int(differing[0]) if len(differing) else common
        for place in [place for place in self._states if place > shared]:
            del self._states[place]
        self._ids = ids
