"""Keys, declared once: footer, help, palette, the tables of the guide, and whether a key acts while text is typed."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cache
from typing import Final

from textual.actions import parse
from textual.binding import Binding, BindingType
from textual.keys import key_to_character

_NAMES: Final = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "Enter",
    "tab": "Tab",
    "space": "Space",
    "backspace": "Backspace",
    "delete": "Delete",
    "insert": "Insert",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "escape": "Esc",
    "slash": "/",
    "plus": "+",
    "minus": "-",
}
_COMMANDS: Final = ("escape",)  # named keys that neither type nor move in a text field


@dataclass(frozen=True)
class Key:
    """keys: Textual's names, separated by commas. name: in footer and palette. help: a sentence. id: for a keymap."""

    keys: str
    action: str
    name: str
    help: str
    id: str
    _: KW_ONLY
    footer: bool = False
    display: str | None = None
    """How the keys are written; by default as `key_name` writes them."""
    in_field: bool | None = None
    """Whether it acts while a text field has the focus; None: only if none of its keys types or moves there."""
    priority: bool = False

    @property
    def label(self) -> str:
        """The keys as footer, help and guide write them."""
        return self.display or names_of(self.keys)

    @property
    def acts_in_field(self) -> bool:
        if self.in_field is not None:
            return self.in_field
        return not any(edits_text(key) for key in self.keys.split(","))


def key_name(key: str) -> str:
    """`Ctrl+P` for `ctrl+p`, `F2` for `f2`, `↑` for `up`; letters stay as they are typed."""
    *modifiers, last = key.split("+")
    letter = last.removeprefix("upper_")  # as Textual calls a capital
    name = _NAMES.get(last) or key_to_character(letter) or letter.upper()
    if len(name) == 1 and (modifiers or letter != last):
        name = name.upper()
    return "+".join([*(modifier.title() for modifier in modifiers), name])


def names_of(keys: str) -> str:
    """Several keys, separated by commas, as `key_name` writes each."""
    return " ".join(map(key_name, keys.split(",")))


def label_of(key: Key, keymap: Mapping[str, str]) -> str:
    """The keys as footer, help and guide write them, under a keymap."""
    return names_of(keymap[key.id]) if key.id in keymap else key.label


def bindings_of(keys: Iterable[Key]) -> list[BindingType]:
    """The keys as Textual declares them."""
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


@cache
def actions_outside_fields(keys: tuple[Key, ...]) -> frozenset[tuple[str, tuple[object, ...]]]:
    """Names and parameters of the actions that are not run while a text field has the focus.

    Textual asks whether an action may run, not by which key: an action with a key of each kind is run.
    """
    return frozenset(parse(key.action)[1:] for key in keys if not key.acts_in_field) - {
        parse(key.action)[1:] for key in keys if key.acts_in_field
    }


def edits_text(key: str) -> bool:
    """Whether a text field types this key or moves the cursor by it, also with Shift or Ctrl."""
    *modifiers, last = key.split("+")
    if last in _COMMANDS:
        return False
    return last in _NAMES or (key_to_character(last) is not None and not {"ctrl", "alt"} & {*modifiers})
