"""The part of the playground that finds primes: in files, in the text behind the model; and mends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.timer import Timer

from charrnn_tui.playground.prime_sources import RandomLinePicker
from charrnn_tui.tui.play.sessions import RememberingSessions

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.playground.prime_sources import FoundPrime
    from charrnn_tui.run.active_run import ActiveRun
    from charrnn_tui.tui.play.forking_desk import ForkingDesk

_LOOK_SECONDS: Final = 1 / 20


class PrimeTools(RememberingSessions):
    """The keys act in the prime's field and out of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "prime_file", "prime from a file", show=False, id="play.prime_file"),
        Binding("f3", "prime_line", "a random line of the text as prime", show=False, id="play.prime_line"),
        Binding("f6", "prime_nearest", "known characters for unknown ones", show=False, id="play.prime_nearest"),
    ]

    def __init__(
        self,
        desk: ForkingDesk,
        backend: Backend,
        active_run: Callable[[], ActiveRun | None],
        new_seed: Callable[[], int],
    ) -> None:
        super().__init__(desk, backend, active_run, new_seed)
        self._lines = RandomLinePicker()
        self._line_look: Timer | None = None
        self._file_asked = ("", "utf-8")

    def action_prime_file(self) -> None:
        from charrnn_tui.tui.dialogs.prime_file import PrimeFile  # not before it is shown

        dialog = PrimeFile(*self._file_asked)

        def read(found: FoundPrime | None) -> None:
            if found is not None:
                self._file_asked = dialog.asked
                self._take_prime(found)

        self.app.push_screen(dialog, read)

    def action_prime_line(self) -> None:
        model = self.desk.feed.model
        if model is None:
            self.tell("no model yet, and so no text that it has learned from")
            return
        self._lines.ask(model, self.backend, self._new_seed())
        if self._line_look is None:
            self._line_look = self.set_interval(_LOOK_SECONDS, self._look_for_line, name="line")
        self._line_look.resume()

    def _look_for_line(self) -> None:
        try:
            found = self._lines.look()
        except ValueError as error:
            self.tell(str(error))
        else:
            if found is not None:
                self._take_prime(found)
        if not self._lines.pending and self._line_look is not None:
            self._line_look.pause()

    def _take_prime(self, found: FoundPrime) -> None:
        self.desk.prime_field.put(found.prime)
        self.tell(f"prime: {found.words}")

    def action_prime_nearest(self) -> None:
        if not self.desk.prime_field.put_nearest():
            self.tell("the prime has no character with a nearer known one")
