"""The command palette."""

from typing import Any

from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.worker import Worker


class Palette(CommandPalette):
    """As Textual's, in which keys that come faster than it is drawn end the app."""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close, once: a second escape would close the screen behind it."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key for a list that is not there yet, no paging in one that is not laid out yet."""
        if action in ("command_list", "cursor_down"):
            found = next(iter(self.query(CommandList)), None)
            if found is None or ("page" in str(parameters) and not found.scrollable_content_region):
                return False
        return super().check_action(action, parameters)

    def run_worker(self, *arguments: Any, **named: Any) -> Worker[Any]:
        """What was typed just before it closed is searched when its list is gone: nothing is lost by that."""
        return super().run_worker(*arguments, **named | {"exit_on_error": False})
