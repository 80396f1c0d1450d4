"""The line of keys: as many as there is room for, none of them cut, and help in any case."""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey  # what Footer composes; Textual 8.2 has no public name for it

_HELP: Final = "help"  # the action that lists all keys
_AROUND: Final = 3  # cells: a space to either side of a key, one behind its name


class KeyFooter(Footer):
    """As Textual's, which cuts a name in the middle where the line ends; the same on every screen."""

    _room = 0

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)

    def compose(self) -> ComposeResult:
        self._room = self.app.size.width
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        yield from fitting(keys, self._room)

    def on_resize(self) -> None:
        if self._bindings_ready and self._room != self.app.size.width:
            self.call_after_refresh(self.recompose)


def fitting(keys: Sequence[FooterKey], room: int) -> list[FooterKey]:
    """The keys that fit into so many cells, the first ones first; help, wherever it stands, before all others."""
    fit = []
    for key in sorted(keys, key=lambda key: key.action != _HELP):
        room -= _cells(key)
        if room >= 0 or key.action == _HELP:
            fit.append(key)
    return [key for key in keys if key in fit]


def _cells(key: FooterKey) -> int:
    return cell_len(key.key_display) + cell_len(key.description) + _AROUND
