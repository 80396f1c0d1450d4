"""What all units do at the characters of one text, computed in the background where somebody asks for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.sampling.char_model import HiddenState
from charrnn_tui.sampling.generated_text import STATE_EVERY, GeneratedText, WeightsGone

SCALE: Final = 127  # an activation from -1 to 1 is stored as a whole number from -127 to 127
BLOCKS_MOST: Final = 256  # that are kept: 32,768 characters, 34 MB at 2×512 units
BLOCKS_AT_ONCE: Final = 8  # in a job: 0.1 s at 2×512 units
_ACTIVATIONS: Final = "activations"  # key of the job
_PRIME: Final = -1  # its block, whatever its length; block n ≥ 0 is of the written characters from n * STATE_EVERY on


@dataclass(frozen=True, eq=False)
class _Block:
    """values: int8, (characters, units). state: behind the last of them."""

    values: NDArray[np.int8]
    state: HiddenState | None


class Activations:
    """Of one text at a time. Asked for another one, it begins anew."""

    def __init__(self, jobs: Jobs, changed: Callable[[int, int], None]) -> None:
        """changed: called with the characters [start, end) of prime and text that have become known."""
        self._jobs, self._changed = jobs, changed
        self._text: GeneratedText | None = None
        self._blocks: dict[int, _Block] = {}  # the one asked for last is the last one
        self._wanted: set[int] = set()
        self._gone: set[int] = set()  # written by weights that are no longer stored

    def of(self, text: GeneratedText, unit: int, start: int, end: int) -> NDArray[np.float32]:
        """tanh of a unit's cell behind the characters [start, end) of prime and text, NaN where it is not known yet.

        unit: counted from 0, through all layers. What is not known is computed, and `changed` called.
        """
        if text is not self._text:
            self.forget()
            self._text = text
        found = np.full(max(0, end - start), np.nan, np.float32)
        for number in _blocks_of(text, start, end):
            begin, length = _place(text, number)
            block = self._blocks.pop(number, None)
            if block is not None:
                self._blocks[number] = block
                low, high = max(start, begin), min(end, begin + len(block.values))
                if low < high:
                    found[low - start : high - start] = block.values[low - begin : high - begin, unit]
            if (block is None or len(block.values) < length) and number not in self._gone:
                self._wanted.add(number)
        self._compute()
        found /= SCALE
        return found

    def forget(self) -> None:
        """Drop everything, and what is being computed."""
        self._jobs.cancel(_ACTIVATIONS)
        self._text = None
        for each in (self._blocks, self._wanted, self._gone):
            each.clear()

    def _compute(self) -> None:
        if not self._wanted or self._jobs.pending(_ACTIVATIONS) or self._text is None:
            return
        numbers = sorted(self._wanted)[-BLOCKS_AT_ONCE:]
        self._wanted.difference_update(numbers)
        text, known = self._text, {number: self._blocks[number] for number in numbers if number in self._blocks}
        try:
            copy = text.fork(len(text))  # the text is written on while the job reads
        except WeightsGone:
            self._gone.update(numbers)
            return
        self._jobs.submit(
            _ACTIVATIONS,
            lambda token: {number: _computed(copy, number, known.get(number), token) for number in numbers},
            self._came,
        )

    def _came(self, blocks: dict[int, _Block | None]) -> None:
        text = self._text
        assert text is not None  # else the job has been cancelled
        for number, block in blocks.items():
            if block is None:
                self._gone.add(number)
                continue
            begin, _ = _place(text, number)
            before = self._blocks.pop(number, None)
            self._blocks[number] = block
            self._changed(begin + (0 if before is None else len(before.values)), begin + len(block.values))
        while len(self._blocks) > BLOCKS_MOST:
            del self._blocks[next(iter(self._blocks))]
        self._compute()


def _place(text: GeneratedText, number: int) -> tuple[int, int]:
    """Where a block begins, prime included, and how many characters it has by now."""
    primed, start = len(text.prime), number * STATE_EVERY
    return (0, primed) if number == _PRIME else (primed + start, min(STATE_EVERY, len(text) - start))


def _blocks_of(text: GeneratedText, start: int, end: int) -> Iterator[int]:
    """The numbers of the blocks that the characters [start, end) of prime and text are in."""
    primed = len(text.prime)
    if start < min(end, primed):
        yield _PRIME
    first, last = max(0, start - primed), min(len(text), end - primed)
    if first < last:
        yield from range(first // STATE_EVERY, (last - 1) // STATE_EVERY + 1)


def _computed(text: GeneratedText, number: int, known: _Block | None, token: CancelToken) -> _Block | None:
    """The whole block, as far as the text has it; None where the weights are gone."""
    states: Iterator[HiddenState]
    if number == _PRIME:
        states = text.prime_states()
    else:
        start = number * STATE_EVERY
        done = start + (0 if known is None else len(known.values))
        states = text.states(done, min(len(text), start + STATE_EVERY), None if known is None else known.state)
    rows, state = ([], None) if known is None else ([known.values], known.state)
    try:
        while piece := list(islice(states, STATE_EVERY)):
            token.check()
            state = piece[-1]
            cells = np.stack([each.c.ravel() for each in piece])  # (n, units)
            rows.append(np.rint(SCALE * np.tanh(cells)).astype(np.int8))
    except WeightsGone:
        return None
    return _Block(np.concatenate(rows) if rows else np.empty((0, 0), np.int8), state)
