"""Work in the background: the only way to do it beside the trainer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")


class Abandoned(Exception):
    """Raised in the work's own thread by `CancelToken.check`: nobody waits for the result any more."""


class CancelToken:
    """Tells work whether its result is still wanted. Work calls `check` every few milliseconds."""

    def __init__(self) -> None:
        self.cancelled = False

    def check(self) -> None:
        """Raise Abandoned if the result is no longer wanted."""
        if self.cancelled:
            raise Abandoned


class Jobs:
    """Runs work on daemon threads; hands results over in `drain`, on the thread that calls it.

    Each job has a key. Submitting a key again cancels its earlier job, whose result is dropped. Quitting the program
    does not wait for a job.
    """

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        """wake: called at each submission, on the submitting thread, such as to resume the timer that calls `drain`."""
        self._wake = wake
        self._tokens: dict[str, CancelToken] = {}
        self._finished: SimpleQueue[tuple[str, CancelToken, Callable[[], object]]] = SimpleQueue()

    def submit(
        self,
        key: str,
        work: Callable[[CancelToken], Result],
        done: Callable[[Result], object],
        failed: Callable[[ValueError], None] | None = None,
    ) -> None:
        """Run `work` on a thread of its own; call `done` with its result, or `failed` with a ValueError it raised.

        Any other exception, and a ValueError where there is no `failed`, is raised by `drain`.
        """
        self.cancel(key)
        token = self._tokens[key] = CancelToken()

        def run() -> None:
            hand_over: Callable[[], object]
            try:
                hand_over = partial(done, work(token))
            except Abandoned:
                return
            except Exception as error:  # for whoever drains
                hand_over = partial(_fail, error, failed)
            self._finished.put((key, token, hand_over))

        threading.Thread(target=run, name=f"job {key}", daemon=True).start()
        self._wake()

    def cancel(self, key: str) -> None:
        """End the job of this key, soon; neither `done` nor `failed` is called."""
        token = self._tokens.pop(key, None)
        if token is not None:
            token.cancelled = True

    def pending(self, key: str) -> bool:
        """Whether the key has a job whose result has not been handed over."""
        return key in self._tokens

    @property
    def idle(self) -> bool:
        """Whether no result is awaited."""
        return not self._tokens

    def drain(self) -> None:
        """Hand over the results that have come since the last call."""
        while not self._finished.empty():
            key, token, hand_over = self._finished.get()
            if not token.cancelled:
                del self._tokens[key]
                hand_over()

    def close(self) -> None:
        """Cancel all jobs."""
        for key in list(self._tokens):
            self.cancel(key)


def _fail(error: Exception, failed: Callable[[ValueError], None] | None) -> None:
    if failed is None or not isinstance(error, ValueError):
        raise error
    failed(error)
