"""Keys, declared once: footer, help, palette, the guide's tables and what acts in a text field follow from `Key`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType

_NAMES: Final = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "space": "Space",
    "backspace": "Backspace",
    "delete": "Delete",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "vertical_line": "|",
    "equals_sign": "=",
    "comma": ",",
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "shift": "Shift",
    "ctrl": "Ctrl",
}
_EDITING: Final = frozenset(
    ["enter", "backspace", "delete", "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "space", "tab"]
)  # what a text field does with its own keys


@dataclass(frozen=True)
class Key:
    """keys: Textual's names, separated by commas. name: in footer and palette. help: a sentence. id: for a keymap."""

    keys: str
    action: str
    name: str
    help: str
    id: str
    footer: bool = False
    display: str | None = None
    """How the keys are written; by default as `key_name` writes them."""
    in_field: bool | None = None
    """Whether it acts while a text field has the focus; None: only if none of its keys types or moves there."""
    priority: bool = False

    @property
    def label(self) -> str:
        """The keys as footer, help and guide write them."""
        return self.display or " ".join(key_name(key) for key in self.keys.split(","))

    @property
    def acts_in_field(self) -> bool:
        if self.in_field is not None:
            return self.in_field
        return not any(_edits(key) for key in self.keys.split(","))


def key_name(key: str) -> str:
    """`Ctrl+P` for `ctrl+p`, `F2` for `f2`, `↑` for `up`; letters stay as they are typed."""
    *modifiers, last = key.split("+")
    if modifiers or (last.startswith("f") and last[1:].isdecimal()):
        last = _NAMES.get(last, last.upper())
    return "+".join([*(_NAMES.get(modifier, modifier) for modifier in modifiers), _NAMES.get(last, last)])


def bindings_of(keys: Iterable[Key]) -> list[BindingType]:
    """What Textual needs to know of them."""
    return [
        Binding(
            key.keys,
            key.action,
            key.name,
            show=key.footer,
            key_display=key.label,
            priority=key.priority,
            tooltip=key.help,
            id=key.id,
        )
        for key in keys
    ]


def outside_fields(keys: Sequence[Key]) -> frozenset[str]:
    """The names of actions that do not act while a text field has the focus."""
    inside = {_action_name(key) for key in keys if key.acts_in_field}
    return frozenset(_action_name(key) for key in keys) - inside


def _action_name(key: Key) -> str:
    return key.action.partition("(")[0].rpartition(".")[2]


def _edits(key: str) -> bool:
    """Whether a text field types this key or moves by it; with Shift and Ctrl it moves, too."""
    *modifiers, last = key.split("+")
    if last in _EDITING:
        return True
    printable = len(last) == 1 or (last in _NAMES and last not in ("escape",))
    return printable and not set(modifiers) & {"ctrl", "alt"}
