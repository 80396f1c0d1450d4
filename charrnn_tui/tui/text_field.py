"""A field of one line, and the order in which a field acts on its keys."""

from typing import ClassVar

from textual import events
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input

from charrnn_tui.tui.keys import Key, bindings_of


class TextField(Input):
    """As Textual's, whose edits can be undone, and which keeps its text when it gets the focus by itself."""

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("ctrl+z", "undo", "Undo", "Undo the last edit of the field.", "field.undo"),
        Key("ctrl+y", "redo", "Redo", "Redo what was undone.", "field.redo"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        suggester: Suggester | None = None,
        select_on_focus: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """select_on_focus: only where no screen gives the focus to it by itself: the next key replaces the text."""
        self._versions = [value]  # of the text, one for each edit; letters typed in a row are one
        self._version = 0  # the one that is shown
        self._typing = False
        super().__init__(
            value,
            placeholder,
            suggester=suggester,
            select_on_focus=select_on_focus,
            compact=True,
            id=id,
            classes=classes,
        )
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        await run_bindings(self, event)

    def watch_value(self, before: str, value: str) -> None:
        if value != self._versions[self._version]:  # else it was undone or redone
            typed = len(value) == len(before) + 1
            kept = self._version if typed and self._typing else self._version + 1
            self._versions[kept:] = [value]
            self._version, self._typing = len(self._versions) - 1, typed

    def action_undo(self) -> None:
        self._show_version(self._version - 1)

    def action_redo(self) -> None:
        self._show_version(self._version + 1)

    def _show_version(self, version: int) -> None:
        if 0 <= version < len(self._versions):
            self._version, self._typing = version, False
            self.value = self._versions[version]
            self.action_end()


async def run_bindings(field: Widget, event: events.Key) -> None:
    """Run the field's bindings of a key at once; the field itself inserts letters.

    Textual would run them after letters that came behind them, where all come in one piece over a slow line.
    """
    if not event.is_printable:
        for binding in field._bindings.key_to_bindings.get(event.key, ()):
            if await field.app.run_action(binding.action, field):
                event.stop()
                event.prevent_default()
                return
