"""The base of our screens: their header and keys, and which of them act while text is typed."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.screen import Screen
from textual.widgets import Input, TextArea

from charrnn_tui.tui.keys import Key, actions_outside_fields
from charrnn_tui.tui.studio_header import StudioHeader


class StudioScreen(Screen[None]):
    """A subclass declares KEYS and BINDINGS = bindings_of(KEYS), and the MODE whose tab the header marks."""

    MODE: ClassVar[str]

    KEYS: ClassVar[tuple[Key, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.header = StudioHeader(self.MODE)

    async def on_event(self, event: events.Event) -> None:
        """Style no widget again because the screen is shown: each is when it is mounted, and with another theme."""
        if isinstance(event, events.ScreenResume):
            event.refresh_styles = False
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
