"""A screen that asks something over the others."""

from typing import ClassVar, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.shown_screen import shown_once

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """Gives its answer once, when it is the screen in front.

    Keys pressed twice, or that a slow line brings in one piece, ask it to close when it is gone already; what a thread
    has found may come while the help lies over it. Textual would then close whatever is in front, or fail.
    """

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("escape", "dismiss(None)", "Close", "Close the dialog.", "dialog.close"),
        Key("f1,question_mark", "app.help", "Help", "Show the keys of the dialog.", "dialog.help"),
    )
    BINDINGS = bindings_of(KEYS)

    _held_back: Answer | None = None
    _holds_back = False

    async def on_event(self, event: events.Event) -> None:
        with shown_once(self.app, event):
            await super().on_event(event)

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Give the answer, or hold it back until nothing lies over it."""
        if self.is_active:
            return super().dismiss(result)
        self._held_back, self._holds_back = result, True
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        if self._holds_back:
            self.dismiss(self._held_back)
