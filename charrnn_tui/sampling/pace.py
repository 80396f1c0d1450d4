"""As many threads for a text that is written alone as make it faster just now.

A character costs what it costs to read the weights, and two cores read them in half the time, as long as both are free.
Where another program has the core of one of BLAS's threads, all others wait until the system gives it back: ten times
as long as the product takes. So threads are tried, and given up where they come late.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Self, TypeVar

from charrnn_tui.run.cores import alone, at_work, available_cores
from charrnn_tui.sampling.lstm_step import helped

Result = TypeVar("Result")
Limit = Callable[[int], AbstractContextManager[object]]

MOST = 8  # threads; what one text's products have to do is not worth more
TRIAL = 16  # characters that each number of threads is tried for
WORTH_IT = 0.9  # of the time that one thread takes: what threads must save
STRETCH = 64  # characters over which they must save it, again and again
REST, LONGEST_REST = 32, 8192  # characters until they are tried again: twice as many each time they fail at once


class Pace:
    """Of one who writes as fast as it goes: a character is written by `run`, within a `with`.

    Threads are BLAS's, and so the process's: while others are at work in it too, nobody sets them.
    """

    def __init__(
        self, most: int | None = None, limit: Limit | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """most: threads; by default a core each, or what OPENBLAS_NUM_THREADS or OMP_NUM_THREADS says. clock: seconds.

        limit: sets how many BLAS uses, within a `with`.
        """
        self._limit = with_threads if limit is None else limit
        self._clock = clock
        self._choices = _choices(_candidates(_most() if most is None else most))
        self._chosen = next(self._choices)
        self._used = 0
        self._entered: list[AbstractContextManager[object]] = []

    def __enter__(self) -> Self:
        working = at_work()
        working.__enter__()
        self._entered = [working]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._used = 0
        for entered in reversed(self._entered):
            entered.__exit__(kind, error, at)
        self._entered = []

    def run(self, write: Callable[[], Result]) -> Result:
        """Write a character, with the threads that are the best now."""
        undisturbed = alone()
        self._use(self._chosen if undisturbed else 0)
        began = self._clock()
        written = write()
        if undisturbed:
            self._chosen = self._choices.send(self._clock() - began)
        return written

    def _use(self, threads: int) -> None:
        """0: as many as there were."""
        if threads == self._used:
            return
        if self._used:
            self._entered.pop().__exit__(None, None, None)
        if threads:
            limited = self._limit(threads)
            limited.__enter__()
            self._entered.append(limited)
        self._used = threads


@contextmanager
def with_threads(threads: int) -> Iterator[None]:
    """So many for each of NumPy's products and for the compiled step, for the whole process."""
    from threadpoolctl import get_cached_controller  # only who writes fast needs it

    with helped(threads), get_cached_controller().limit(limits=threads, user_api="blas"):
        yield


def _most() -> int:
    given = [os.environ.get(name, "") for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")]
    chosen = next((int(number) for number in given if number.isdecimal() and int(number)), available_cores())
    return min(MOST, chosen)


def _candidates(most: int) -> Sequence[int]:
    return [threads for threads in (1, 2, 4, 8) if threads <= most]


def _choices(candidates: Sequence[int]) -> Generator[int, float, None]:
    """How many threads the next character gets; is sent the seconds that it took."""
    rest = REST
    while True:
        alone = (yield from _spent(1, TRIAL, math.inf)) / TRIAL
        worth = WORTH_IT * alone
        best, least = 1, worth
        for threads in candidates[1:]:
            mean = (yield from _spent(threads, TRIAL, worth * TRIAL)) / TRIAL
            if mean < least:
                best, least = threads, mean
        written = 0
        while best > 1 and (yield from _spent(best, STRETCH, worth * STRETCH)) < worth * STRETCH:
            written += STRETCH
        rest = REST if written > rest else min(2 * rest, LONGEST_REST)
        for _ in range(rest):
            yield 1


def _spent(threads: int, characters: int, most: float) -> Generator[int, float, float]:
    """The seconds that so many characters take; as soon as they have taken the most, no more are written so."""
    spent = 0.0
    for _ in range(characters):
        spent += yield threads
        if spent >= most:
            break
    return spent
