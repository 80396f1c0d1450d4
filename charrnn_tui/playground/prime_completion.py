"""What the model would most likely write behind a prime, worked out on another thread while one types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from charrnn_tui.playground.preparation import Abandoned, Job

if TYPE_CHECKING:
    from charrnn_tui.sampling.prime_reader import PrimeReader


@dataclass(frozen=True)
class Foreseen:
    """What follows a prime; empty where the model has no answer."""

    prime: str
    text: str


class PrimeCompletion:
    """The newest question wins; one is worked on at a time. Nobody waits: one looks whether there is an answer."""

    def __init__(self) -> None:
        self._asked: _Question | None = None
        self._waiting: _Question | None = None
        self._job: Job[str] | None = None

    @property
    def pending(self) -> bool:
        """Whether an answer is still to come."""
        return self._job is not None

    def ask(self, reader: PrimeReader, prime: str, most: int) -> None:
        """What follows this prime, in at most so many characters? Earlier questions need no answer any more."""
        self.forget()
        self._waiting = _Question(reader, prime, most)
        self._work()

    def forget(self) -> None:
        """Nobody wants to know any more."""
        self._waiting = None
        if self._asked is not None:
            self._asked.abandoned = True

    def look(self) -> Foreseen | None:
        """The answer to the last question, once."""
        if self._job is None or self._asked is None or not self._job.done:
            return None
        job, asked = self._job, self._asked
        self._job = self._asked = None
        self._work()
        try:
            answer = job.result()
        except Abandoned:
            return None
        except ValueError:  # the model gives no numbers, which the status line says as soon as it writes
            answer = ""
        return None if asked.abandoned else Foreseen(asked.prime, answer)

    def _work(self) -> None:
        if self._job is None and self._waiting is not None:
            self._asked, self._waiting = self._waiting, None
            self._job = Job(self._asked.answer)


class _Question:
    def __init__(self, reader: PrimeReader, prime: str, most: int) -> None:
        self.prime, self._reader, self._most = prime, reader, most
        self.abandoned = False

    def answer(self) -> str:
        return self._reader.predict(self.prime, self._most, self._hear)

    def _hear(self, _done: int) -> None:
        if self.abandoned:
            raise Abandoned
