"""The settings file, config.toml: what it says, what is wrong with it, and how one of its keys is changed."""

import difflib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from charrnn_tui.run.config import DEFAULTS, KEYMAP, KEYS, TABLES, Config, with_values
from charrnn_tui.run.decoding import DecodingError, convert
from charrnn_tui.run.files import write_atomically

LONGEST: Final = 1 << 20  # bytes of a file


class ConfigError(ValueError):
    """The file cannot be used; the message is the first problem, `problems` are all, each one line with its place."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(problems[0])


@dataclass(frozen=True)
class ConfigFile:
    """A settings file as it was read. lines: of the keys that it sets, from 1; empty where there is no file."""

    path: Path
    config: Config
    lines: Mapping[str, int]

    def place(self, key: str) -> str:
        """Where a key is set, for messages."""
        return f"{self.path}:{self.lines[key]}: {key}"


def read_config(path: Path) -> ConfigFile:
    """The settings of a file, those of DEFAULTS where it says nothing or is missing. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except FileNotFoundError:
        return ConfigFile(path, DEFAULTS, {})
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror or error}"]) from None
    if len(data) > LONGEST:
        raise ConfigError([f"{path}: is longer than {LONGEST:,} bytes"])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError([f"{path}:{line}: is not UTF-8"]) from None
    values = _parse(path, text)
    lines, problems = _lines(text), list[str]()

    def refuse(name: str, problem: str) -> None:
        line = lines.get(name)
        problems.append(f"{path}{f':{line}' if line else ''}: {name}: {problem}")

    given: dict[str, Any] = {}
    for name, value in _flat(values):
        if name.startswith(f"{KEYMAP}.") and isinstance(value, str):
            given[name] = value
        elif name.startswith(f"{KEYMAP}."):
            refuse(name, f"{as_toml(value)} is not a string of keys, separated by commas")
        elif name in TABLES or name == KEYMAP:
            refuse(name, f"is a table: write [{name}] on a line of its own, and its keys below")
        elif name not in KEYS:
            refuse(name, f"no such key{_nearest(name)}")
        else:
            try:
                given[name] = convert(value, KEYS[name].kind)
            except DecodingError:
                refuse(name, f"{as_toml(value)} is not {KEYS[name].values}")
    if problems:
        raise ConfigError(problems)
    return ConfigFile(path, with_values(DEFAULTS, given), {name: lines.get(name, 1) for name in given})


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError([f"{path}: is not TOML: nested too deeply"]) from None
    except ValueError as error:  # tomllib.TOMLDecodeError, or a date that does not exist
        problem, _, place = str(error).partition(" (at ")
        line = place.removeprefix("line ").partition(",")[0]
        if place.startswith("end of document"):
            line = str(len(text.splitlines()) or 1)
        raise ConfigError([f"{path}{f':{line}' if line.isdecimal() else ''}: is not TOML: {problem}"]) from None


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The keys with their tables, such as `play.top_k`; ids of the keymap may be written as tables of tables, too."""
    for name, value in values.items():
        if name == KEYMAP and isinstance(value, dict):
            yield from ((f"{KEYMAP}.{key}", bound) for key, bound in _leaves(value))
        elif name in TABLES and isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            yield name, value


def _leaves(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", bound) for inner, bound in _leaves(value))
        else:
            yield name, value


def _lines(text: str) -> dict[str, int]:
    """The line, from 1, at which each key and table stands in a text that is valid TOML without strings of lines."""
    table, found = "", dict[str, int]()
    for number, line in enumerate(text.splitlines(), start=1):
        head = line.strip()
        if head.startswith("["):
            table = _dotted(head.strip("[").partition("]")[0]) or table
            found.setdefault(table, number)
        elif (key := _key_of(head)) is not None:
            parts = f"{table}.{key}".lstrip(".").split(".")
            for end in range(1, len(parts) + 1):
                found.setdefault(".".join(parts[:end]), number)
    return found


def _key_of(line: str) -> str | None:
    """The key of a line `key = value`; quoted keys may contain `=`."""
    parts = line.split("=")
    return next((name for end in range(1, len(parts)) if (name := _dotted("=".join(parts[:end]))) is not None), None)


def _dotted(key: str) -> str | None:
    """A TOML key, with its quotes taken off; None where it is none."""
    try:
        value: Any = tomllib.loads(f"{key} = 0")
    except ValueError:
        return None
    names = []
    while isinstance(value, dict) and value:
        name, value = next(iter(value.items()))
        names.append(name)
    return ".".join(names)


def _nearest(name: str) -> str:
    """`; did you mean play.top_k?`, or the keys that there are."""
    table, _, last = name.rpartition(".")
    there = {key.name.rpartition(".")[2]: key.name for key in KEYS.values() if key.table == table}
    there |= {} if table else {name: name for name in (*TABLES, KEYMAP)}
    close = [there[found] for found in difflib.get_close_matches(last, there, n=1)]
    elsewhere = [key for key in KEYS if key.rpartition(".")[2] == last]
    if close or elsewhere:
        return f"; did you mean {' or '.join(close or elsewhere)}?"
    return f"; there are {', '.join(there.values())}"


def nearest(name: str, names: Iterable[str]) -> str:
    """`; did you mean …?` with the name that is most like this one; nothing where none is."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def as_toml(value: Any) -> str:
    """A value as it is written in the file; other things than strings, numbers and switches by their type."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else "a table" if isinstance(value, dict) else "this value"


def commented_file(keymap: Mapping[str, tuple[str, str]]) -> str:
    """A file with every key at its default and what it means.

    keymap: the keys and a help sentence, by id; they become comments.
    """
    lines = ["# Settings of charrnn-tui. An option of a command and an environment variable win over this file.", ""]
    table = ""
    for key in sorted(KEYS.values(), key=lambda key: key.table != ""):  # the tables come behind the others
        if key.table != table:
            table = key.table
            doc = str(TABLES[table].__doc__).removeprefix(f"The table [{table}]").strip(": .\n")
            lines += [f"[{table}]" + (f"  # {doc}" if doc else ""), ""]
        lines += [f"# {key.help} {key.values[0].upper()}{key.values[1:]}."]
        lines += [f"{key.name.rpartition('.')[2]} = {as_toml(key.default)}", ""]
    lines += ["[keymap]  # other keys, separated by commas; no key may be taken on the same screen", ""]
    lines += [f"# {as_toml(name)} = {as_toml(keys)}  # {help}" for name, (keys, help) in keymap.items()]
    return "\n".join(lines) + "\n"


def store_theme(path: Path, theme: str) -> None:
    """Set the theme in a file, which is made if there is none; everything else stays as it is written.

    Raises ConfigError if the file cannot be read any more, OSError if it cannot be written.
    """
    if path.exists() and not path.is_file():
        raise ConfigError([f"{path}: is no file, so nothing can be stored in it"])
    lines = read_config(path).lines
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    rows, new = text.splitlines(keepends=True), f"theme = {as_toml(theme)}"
    if "theme" in lines:
        comment = rows[lines["theme"] - 1].partition("#")[2].strip()
        rows[lines["theme"] - 1] = new + (f"  # {comment}" if comment else "") + "\n"
    else:
        rows.insert(0, new + "\n")
    changed = "".join(rows)
    try:
        kept = _parse(path, changed) == _parse(path, text) | {"theme": theme}
    except ConfigError:
        kept = False
    if not kept:
        raise ConfigError([f"{path}: the theme is written there in a way that cannot be changed here"])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path.resolve(), changed.encode())  # a link to it stays one
