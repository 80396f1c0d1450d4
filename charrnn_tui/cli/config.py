"""`charrnn-tui config`: show, check and begin the settings file."""

from typing import Any

import click

from charrnn_tui.cli.configuration import Configuration, config_path, load_configuration
from charrnn_tui.cli.options import PROGRAM, json_option
from charrnn_tui.cli.output import DataStream, say
from charrnn_tui.run.config import KEYMAP, KEYS, value_of
from charrnn_tui.run.config_file import ConfigError, as_toml, commented_file
from charrnn_tui.run.files import write_atomically


@click.group("config")
def config_command() -> None:
    """Show, check or begin the settings file, config.toml.

    It sets what the app and the commands do where no option and no environment variable says else.
    CHARRNN_TUI_CONFIG names another file.
    """


@config_command.command("path", short_help="Print the path of the settings file.")
def path_command() -> None:
    """Print the path of the settings file, whether it exists or not."""
    DataStream().write_line(str(config_path()))


@config_command.command("init", short_help="Write a settings file with every default.")
def init_command() -> None:
    """Write a settings file with every key at its default and what it means; an existing one stays."""
    from charrnn_tui.tui.keymap import declared_keys  # all screens: for this command and a check of keys only

    path = config_path()
    if path.exists():
        raise click.ClickException(f"{path}: exists already, and stays as it is")
    keys = {key.id: (key.keys, key.help) for keys in declared_keys().values() for key in keys}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, commented_file(keys).encode())
    DataStream().write_line(str(path))


@config_command.command("validate", short_help="Check the settings file.")
def validate_command() -> int:
    """Check the settings file, every key of it; exits with 1 if something is wrong."""
    path = config_path()
    if not path.exists():
        say(f"{path}: there is no such file, so every setting has its default; write one with: {PROGRAM} config init")
        return 0
    try:
        loaded = load_configuration()
        check_for_app(loaded)
    except ConfigError as error:
        say(*error.problems)
        return 1
    say(f"{path}: no problems; keys that it sets: {len(loaded.file.lines)}")
    return 0


@config_command.command("show", short_help="Print every setting and where it comes from.")
@json_option("Write one JSON object: of each key its value and where that comes from.")
def show_command(as_json: bool) -> None:
    """Print every setting, its value, and where that comes from: the default, the file, or the environment."""
    try:
        loaded = load_configuration()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    values: dict[str, Any] = {name: value_of(loaded.config, name) for name in KEYS}
    values |= {f"{KEYMAP}.{id}": keys for id, keys in loaded.config.keymap.items()}
    stream = DataStream()
    if as_json:
        settings = {name: {"value": value, "source": loaded.source(name)} for name, value in values.items()}
        exists = loaded.file.path.exists()
        stream.write_json({"path": str(loaded.file.path), "exists": exists, "settings": settings})
        return
    width, wide = (max(map(len, column)) for column in (values, map(as_toml, values.values())))
    for name, value in values.items():
        stream.write_line(f"{name:<{width}}  {as_toml(value):<{wide}}  {loaded.source(name)}")


def check_for_app(loaded: Configuration) -> dict[str, str]:
    """Check what only the app knows, the theme and the keys; returns the keymap. Raises ConfigError."""
    from charrnn_tui.run.config_file import nearest
    from charrnn_tui.tui.keymap import KeymapError, checked_keymap  # loads Textual
    from charrnn_tui.tui.themes import theme_names

    problems, keymap = list[str](), dict[str, str]()
    theme, names = loaded.config.theme, theme_names()
    if theme not in names:
        found = nearest(theme, names) or f"; there are {', '.join(names)}"
        problems.append(f"{loaded.place('theme')}: there is no theme {as_toml(theme)}{found}")
    try:
        keymap = dict(checked_keymap(loaded.config.keymap))
    except KeymapError as error:
        problems.append(f"{loaded.place(f'{KEYMAP}.{error.id}')}: {error}")
    if problems:
        raise ConfigError(problems)
    return keymap
