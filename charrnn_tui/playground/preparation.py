"""Work on a thread, polled by who wants the result; superseded by Jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from charrnn_tui.playground.jobs import Abandoned

__all__ = ["Abandoned", "Job"]

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
