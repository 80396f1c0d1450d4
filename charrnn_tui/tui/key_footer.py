"""The line of keys: as many as there is room for, none of them cut, and help in any case."""

from collections.abc import Sequence
from itertools import accumulate
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

_HELP: Final = "help"  # the action that lists all keys


class FooterKey(NamedTuple):
    """A key as it is shown, what pressing it does, and the help shown under the mouse."""

    label: str
    name: str
    action: str
    key: str
    help: str

    @property
    def cells(self) -> int:
        """With a space to either side of the key and one behind its name."""
        return cell_len(self.label) + cell_len(self.name) + 3


class KeyFooter(Widget):
    """Drawn as one widget: Textual's own makes a widget of each key, anew whenever the focus moves, in 20 to 40 ms."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-footer--key", "key-footer--name"}

    keys: reactive[Sequence[FooterKey]] = reactive(())

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def on_resize(self) -> None:
        self._update()

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if self.app.app_focus:  # else no pane has it, and the keys would change twice
            self.call_after_refresh(self._update)

    def _update(self) -> None:
        if self.is_attached:  # else its screen has been closed since
            self.keys = self._fitting()

    def _fitting(self) -> list[FooterKey]:
        """The keys that act now, as far as there is room."""
        shown = {}  # the first key of each action
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.action not in shown:
                label = self.app.get_key_display(binding)
                shown[binding.action] = FooterKey(
                    label, binding.description, binding.action, binding.key, active.tooltip
                )
        return fitting(list(shown.values()), self.size.width)

    def render(self) -> Content:
        if not self.keys:  # the first frame comes before the first message
            self.set_reactive(KeyFooter.keys, self._fitting())
        key_style, name_style = (self.get_visual_style(f"key-footer--{part}") for part in ("key", "name"))
        parts = [((f" {key.label} ", key_style), (f"{key.name} ", name_style)) for key in self.keys]
        return Content.assemble(*(part for pair in parts for part in pair))

    def _key_at(self, x: int) -> FooterKey | None:
        ends = accumulate(key.cells for key in self.keys)
        return next((key for key, end in zip(self.keys, ends, strict=True) if x < end), None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        key = self._key_at(event.x)
        self.tooltip = key.help if key is not None else None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if (key := self._key_at(event.x)) is not None:
            self.app.simulate_key(key.key)


def fitting(keys: Sequence[FooterKey], room: int) -> list[FooterKey]:
    """The keys that fit into so many cells, the first ones first; help, wherever it stands, before all others."""
    fit = []
    for key in sorted(keys, key=lambda key: key.action != _HELP):
        room -= key.cells
        if room >= 0 or key.action == _HELP:
            fit.append(key)
    return [key for key in keys if key in fit]
