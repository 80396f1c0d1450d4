"""The base of our screens: their header and keys, and which of them act while text is typed."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.screen import Screen
from textual.widgets import Input, TextArea

from charrnn_tui.tui.keys import Key, actions_outside_fields
from charrnn_tui.tui.shown_screen import shown_once
from charrnn_tui.tui.studio_header import StudioHeader


class StudioScreen(Screen[None]):
    """A subclass declares KEYS and BINDINGS = bindings_of(KEYS), and the MODE whose tab the header marks."""

    MODE: ClassVar[str]

    KEYS: ClassVar[tuple[Key, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.header = StudioHeader(self.MODE)

    def on_compose(self) -> None:
        """Set the classes of the terminal's size before there are parts: Textual styles all of them again after it."""
        size = self.app.size
        for cells, breakpoints in (size.width, self.HORIZONTAL_BREAKPOINTS), (size.height, self.VERTICAL_BREAKPOINTS):
            reached = [name for least, name in sorted(breakpoints or []) if cells >= least]
            self.add_class(*reached[-1:], update=False)

    async def on_event(self, event: events.Event) -> None:
        with shown_once(self.app, event):
            await super().on_event(event)

    def show_status(self, status: Sequence[str]) -> None:
        """Show the status of a run in the header; called by the app when it has polled the runs that it follows."""
        self.header.status = status

    @property
    def typing(self) -> bool:
        """Whether a text field has the focus."""
        return isinstance(self.focused, Input | TextArea)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a text field has the focus, keys that type or move there run no action of the screen."""
        return not (self.typing and (action, parameters) in actions_outside_fields(self.KEYS))
