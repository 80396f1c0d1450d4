"""A desk on which an earlier session is laid out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from charrnn_tui.tui.play.replaying_desk import ReplayingDesk

if TYPE_CHECKING:
    from charrnn_tui.playground.models import LoadedModel, ModelSource
    from charrnn_tui.playground.restoration import Restoration
    from charrnn_tui.playground.session import Session


class RestoringDesk(ReplayingDesk):
    """Shows the text that was on the screen as soon as it is there; the others follow."""

    _restoration: Restoration | None = None
    _shown = False

    @dataclass
    class Restored(Message):
        """All that could be brought back is there. lost: a line for each thing that could not."""

        lost: list[str]

    def restore(self, session: Session) -> None:
        """Bring its texts back, and stand where it stood."""
        from charrnn_tui.playground.restoration import Restoration  # NumPy: the first frame is there before it

        self._wait()
        self._let_go()
        self._shown = False
        self._restoration = Restoration(session, self.feed.backend)
        self._awake()

    @property
    def words(self) -> str:
        return super().words or (self._restoration.words if self._restoration is not None else "")

    @property
    def restoring(self) -> bool:
        return self._restoration is not None

    def open(self, model: LoadedModel | ModelSource | None) -> None:
        self._let_go()
        super().open(model)

    def on_unmount(self) -> None:
        self._let_go()

    def _let_go(self) -> None:
        if self._restoration is not None:
            self._restoration.abandon()
            self._restoration = None

    def _look_at_feed(self) -> None:
        super()._look_at_feed()
        restoration = self._restoration
        if restoration is None:
            return
        done = restoration.done  # before what is there is looked at
        current = restoration.current
        if not self._shown and current is not None:
            self._shown = True
            self.branches.bring_back(list(reversed(list(current.ancestry))), current)
            self.turn_to_current()
        if done:
            self._restoration = None
            there = restoration.branches()
            self.branches.bring_back(there, None)
            self.post_message(self.Restored(restoration.lost))
            if not self._shown and there:
                self.branches.turn_to(there[-1])
                self.turn_to_current()
