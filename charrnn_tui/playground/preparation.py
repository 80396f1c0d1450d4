"""Getting ready to write: a model opened, a prime read; on another thread, until done or abandoned."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from charrnn_tui.playground.models import LoadedModel
    from charrnn_tui.sampling.sampler import Sampler

SHIPPED_PRIME = "Anna"  # a beginning that suits the model that comes with the program


Result = TypeVar("Result")


class Job(Generic[Result]):
    """Work on a thread of its own; who wants the result looks. Quitting does not wait for it."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._result: Result
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="prepare", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Until it is done."""
        self._thread.join()

    def result(self) -> Result:
        """What the work gave or raised, once it is done."""
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._work()
        except Exception as error:  # handed over by result()
            self._error = error
        finally:
            del self._work  # and what it holds: a job that waited for another, say


class Abandoned(Exception):
    """Nobody waits for it any more."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A sampler that has read its prime. prime: as it was asked for; read: without what the alphabet lacks."""

    model: LoadedModel
    sampler: Sampler
    prime: str
    read: str


class Preparation:
    """One attempt, begun when it is made. Nobody waits for it: one looks whether it is done."""

    def __init__(self, load: Callable[[], LoadedModel], prime: str | None, what: str) -> None:
        """prime: None for one that suits the model. what: words for what is going on."""
        self._load = load
        self._prime = prime
        self._what = what
        self._chars_read = 0
        self._abandoned = False
        self._job = Job(self._prepare)

    @property
    def words(self) -> str:
        """What is going on."""
        if not self._chars_read:  # a short prime is read before anyone could tell
            return self._what
        return f"reading the prime: {self._chars_read:,} of {len(self._prime or ''):,}"

    @property
    def done(self) -> bool:
        return self._job.done

    def result(self) -> Prepared:
        """Once it is done. Raises ValueError, one line."""
        return self._job.result()

    def abandon(self) -> None:
        """End it, soon."""
        self._abandoned = True

    def _prepare(self) -> Prepared:
        model = self._load()
        prime = self._prime
        if prime is None:
            prime = SHIPPED_PRIME if model.source.kind == "shipped" else ""
        self._hear(0)
        sampler = model.reader.read(prime, self._hear)
        unknown = model.vocabulary.unknown(prime)
        read = prime.translate(dict.fromkeys(map(ord, unknown))) if unknown else prime
        return Prepared(model, sampler, prime, read)

    def _hear(self, chars_read: int) -> None:
        self._chars_read = chars_read
        if self._abandoned:
            raise Abandoned
