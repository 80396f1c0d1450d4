"""The command palette."""

from collections.abc import Callable, Iterable
from typing import Any

from textual import on
from textual.app import ComposeResult, SystemCommand
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList

from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.dialogs.filtered_list import FilteredList


class Palette(Dialog[Callable[[], Any] | None]):
    """Gives what the chosen command calls, or None.

    Textual's own searches in a worker, which looks for widgets that may be gone, and so ends the app.
    """

    HELP = "Type a part of the name of a command."

    def __init__(
        self, commands: Iterable[SystemCommand], chosen: str = "", preview: Callable[[str], object] | None = None
    ) -> None:
        """chosen: the name of the command that is highlighted at first. preview: called with that of each other one."""
        super().__init__()
        self._commands, self._chosen, self._preview = list(commands), chosen, preview
        self._filtered = FilteredList[SystemCommand]("Search for commands", "no command of this name")

    def compose(self) -> ComposeResult:
        yield self._filtered

    def on_mount(self) -> None:
        self._find("")

    def _find(self, name: str) -> None:
        """List the commands whose names are like this one, the most like it first; all of them for an empty one."""
        matcher = Matcher(name)
        found = [(matcher.match(command.title) if name else 1.0, command) for command in self._commands]
        ranked = sorted((pair for pair in found if pair[0] > 0), key=lambda pair: -pair[0])
        lines = ((command, f"{command.title:<24} {command.help}") for _, command in ranked)
        chosen = next((command for _, command in ranked if command.title == self._chosen), None)
        self._filtered.list.fill(lines, chosen)

    @on(Input.Changed)
    def name_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._find(event.value)

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose(self._filtered.list.value)

    @on(OptionList.OptionSelected)
    def clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(self._filtered.list.value_of(event.option))

    @on(OptionList.OptionHighlighted)
    def highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        command = self._filtered.list.value_of(event.option)
        if self._preview is not None and command is not None:
            self._preview(command.title)

    def _choose(self, command: SystemCommand | None) -> None:
        if command is not None:
            self.dismiss(command.callback)
