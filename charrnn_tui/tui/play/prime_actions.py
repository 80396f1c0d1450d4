"""A prime from elsewhere: from a file, or a line of the training text."""

from collections.abc import Callable
from typing import Final

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.prime_sources import FoundPrime, RandomLinePicker
from charrnn_tui.tui.dialogs.prime_file import PrimeFile
from charrnn_tui.tui.play.pane import PlaygroundPane

_RANDOM_LINE: Final = "random line"  # key of the job


class PrimeActions:
    """Changes the prime in the pane's field, as if it had been typed."""

    def __init__(
        self,
        pane: PlaygroundPane,
        backend: Backend,
        jobs: Jobs,
        new_seed: Callable[[], int],
        notify: Callable[[str], None],
    ) -> None:
        """new_seed: for the choice of a line."""
        self._pane, self._backend, self._jobs, self._new_seed, self._notify = pane, backend, jobs, new_seed, notify
        self._lines = RandomLinePicker()
        self._file = ("", "utf-8")  # path and encoding as they were typed last

    def read_file(self) -> None:
        """Ask for a file, whose text becomes the prime."""
        dialog = PrimeFile(self._jobs, *self._file)

        def put(found: FoundPrime | None) -> None:
            if found is not None:
                self._file = dialog.asked
                self._put(found)

        self._pane.app.push_screen(dialog, put)

    def draw_line(self) -> None:
        """Make a random line of the training text the prime."""
        model, seed = self._pane.playground.model, self._new_seed()
        if model is None:
            self._notify("no model yet, and so no training text")
        elif not self._jobs.pending(_RANDOM_LINE):
            self._notify("looking for a line of the training text …")
            self._jobs.submit(
                _RANDOM_LINE,
                lambda token: self._lines.draw(model, self._backend, seed),
                self._put,
                lambda error: self._notify(str(error)),
            )

    def _put(self, found: FoundPrime) -> None:
        self._pane.prime_field.put(found.prime)
        self._notify(f"prime: {found.origin}")
