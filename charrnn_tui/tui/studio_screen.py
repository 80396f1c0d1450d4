"""The base of our screens: their keys, and which of them act while somebody types."""

from typing import ClassVar

from textual.screen import Screen
from textual.widgets import Input, TextArea

from charrnn_tui.tui.keys import Key, outside_fields


class StudioScreen(Screen[None]):
    """Declares KEYS; BINDINGS and the help follow from them."""

    KEYS: ClassVar[tuple[Key, ...]] = ()

    @property
    def typing(self) -> bool:
        """Whether a text field has the focus."""
        return isinstance(self.focused, Input | TextArea)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a text field has the focus, no key of the screen acts that would type or move in it."""
        return not (self.typing and action in outside_fields(self.KEYS))
