"""Other keys than the declared ones, by the ids of their bindings."""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textual.binding import Keymap
from textual.keys import Keys, _character_to_key, key_to_character

import charrnn_tui.tui
from charrnn_tui.run.config_file import nearest
from charrnn_tui.tui.keys import Key, edits_text, key_name

_MODIFIERS: Final = frozenset({"ctrl", "alt", "shift", "super", "meta", "hyper"})
# The parts of ids before the dot whose keys act on one screen, or in a dialog of several parts; any other dialog has
# those of its own name, and of _DIALOG.
_SCREENS: Final = (
    frozenset({"app", "play", "value", "inspector", "prime", "text", "field"}),
    frozenset({"app", "side", "value", "prime", "text", "field"}),
    frozenset({"app", "train", "samples", "chart", "text", "field"}),
    frozenset({"app", "runs", "field"}),
    frozenset({"dialog", "list", "text", "inside", "learning", "surprise"}),
)
_DIALOG: Final = frozenset({"dialog", "field", "list"})


class KeymapError(ValueError):
    """id: of the binding; the message is one line."""

    def __init__(self, id: str, message: str) -> None:
        self.id = id
        super().__init__(message)


def declared_keys() -> dict[str, tuple[Key, ...]]:
    """The keys of each class of the app that declares any, by the name of the class. Imports all screens."""
    names = [module.name for module in pkgutil.walk_packages(charrnn_tui.tui.__path__, "charrnn_tui.tui.")]
    found = [value for name in names for value in vars(importlib.import_module(name)).values()]
    ours = [value for value in found if isinstance(value, type) and value.__module__.startswith("charrnn_tui.")]
    return {value.__name__: keys for value in ours if (keys := vars(value).get("KEYS"))}


@dataclass(frozen=True)
class _Bound:
    key: Key
    keys: frozenset[str]


def checked_keymap(given: Mapping[str, str]) -> Keymap:
    """A keymap for Textual, with the keys in its spelling. Raises KeymapError.

    Textual takes a key from all bindings of a class that share it when one of them gets another: those are in it, too.
    """
    if not given:
        return {}
    classes = declared_keys().values()
    declared = {key.id: key for keys in classes for key in keys}
    bound = {id: _Bound(key, frozenset(key.keys.split(","))) for id, key in declared.items()}
    for id, keys in given.items():
        if id not in declared:
            raise KeymapError(id, f"no key has this id{nearest(id, declared)}")
        bound[id] = _Bound(declared[id], frozenset(_spelled(id, key.strip(), declared[id]) for key in keys.split(",")))
    shared = set[str]()
    for id in given:
        _refuse_taken(bound[id], list(bound.values()))
    for of_class in classes:
        moved = {name for key in of_class if key.id in given for name in key.keys.split(",")}
        shared |= {key.id for key in of_class if moved & {*key.keys.split(",")}}
    return {id: ",".join(sorted(bound[id].keys)) for id in (*given, *sorted(shared - {*given}))}


def _spelled(id: str, key: str, declared: Key) -> str:
    """A key as Textual spells it: `question_mark` for `?`."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    last = _character_to_key(last) if len(last) == 1 else last
    function_key = last.removeprefix("f").isdecimal()
    named = last in {each.value for each in Keys} or key_to_character(last) is not None
    if not last or not {*modifiers} <= _MODIFIERS or not (function_key or named):
        raise KeymapError(id, f"{key!r} is no key; keys are written as x, X, ?, f2, space, ctrl+x")
    spelled = "+".join([*modifiers, last])
    if declared.acts_in_field and edits_text(spelled):
        raise KeymapError(id, f"{key!r} is a key that text fields use, and this one acts there, too; take f1 to f12")
    return spelled


def _refuse_taken(changed: _Bound, all_bound: Sequence[_Bound]) -> None:
    for other in all_bound:
        both = changed.keys & other.keys
        if other.key is changed.key or not both or not _meet(changed.key.id, other.key.id):
            continue
        if {*changed.key.keys.split(",")} & {*other.key.keys.split(",")}:
            continue  # they share a key anyway: never do both act
        name = key_name(min(both))
        raise KeymapError(changed.key.id, f"the key {name} is taken by {other.key.id}: {other.key.help}")


def _meet(one: str, other: str) -> bool:
    """Whether two ids have keys on the same screen or in the same dialog."""
    parts = {id.partition(".")[0] for id in (one, other)}
    if any(parts <= screen for screen in _SCREENS):
        return True
    own = parts - _DIALOG
    return len(own) <= 1 and not own & frozenset().union(*_SCREENS)
