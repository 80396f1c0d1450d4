"""Jobs that a test lets go on a little at a time."""

import threading
from collections.abc import Callable
from typing import TypeVar

from charrnn_tui.playground.jobs import CancelToken, Jobs

Result = TypeVar("Result")


class RationedJobs(Jobs):
    """Work goes on by as many checks of its token as are released."""

    def __init__(self) -> None:
        super().__init__()
        self.ration = threading.Semaphore(0)

    def submit(
        self,
        key: str,
        work: Callable[[CancelToken], Result],
        done: Callable[[Result], None],
        failed: Callable[[ValueError], None] | None = None,
    ) -> None:
        super().submit(key, lambda token: work(_RationedToken(token, self.ration)), done, failed)


class _RationedToken(CancelToken):
    def __init__(self, token: CancelToken, ration: threading.Semaphore) -> None:
        super().__init__()
        self._token, self._ration = token, ration

    def check(self) -> None:
        self._ration.acquire()
        self._token.check()
