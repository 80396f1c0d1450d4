"""What the settings file and the environment say: an option wins over a variable, a variable over the file."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from charrnn_tui.cli.options import PROGRAM
from charrnn_tui.cli.output import TERMINAL
from charrnn_tui.run.config import KEYS, Config, switch, value_of, with_values
from charrnn_tui.run.config_file import ConfigError, ConfigFile, read_config
from charrnn_tui.run.decoding import DecodingError, convert

CONFIG_VARIABLE: Final = "CHARRNN_TUI_CONFIG"
VARIABLES: Final = {  # by the key that they set
    "theme": "CHARRNN_TUI_THEME",
    "ascii": "CHARRNN_TUI_ASCII",
    "frames_per_second": "TEXTUAL_FPS",  # of Textual, which reads it itself
}
_WORDS: Final = {
    "1": True,
    "yes": True,
    "true": True,
    "on": True,
    "0": False,
    "no": False,
    "false": False,
    "off": False,
}
_LOADED: Final = "charrnn_tui.configuration"  # in the context of a command line


class BrokenConfig(click.ClickException):
    """The settings cannot be used."""

    exit_code = 2


@dataclass(frozen=True)
class Configuration:
    """config: what holds. variables: by the name of the key that they set."""

    config: Config
    file: ConfigFile
    variables: Mapping[str, str]

    def source(self, key: str) -> str:
        """Where a value comes from: the environment, a line of the file, or the default."""
        if key in self.variables:
            return self.variables[key]
        return f"{self.file.path}:{self.file.lines[key]}" if key in self.file.lines else "default"

    def place(self, key: str) -> str:
        """The same, for the beginning of a message."""
        return self.variables.get(key) or self.file.place(key)


def config_path() -> Path:
    """The file: CHARRNN_TUI_CONFIG, or else config.toml in the platform's place for users' settings."""
    if variable := os.environ.get(CONFIG_VARIABLE):
        return Path(os.path.expanduser(variable))
    import platformdirs  # not needed by `--help`

    return platformdirs.user_config_path(PROGRAM) / "config.toml"


def load_configuration() -> Configuration:
    """The settings of file and environment. Raises ConfigError."""
    file = read_config(config_path())
    given, variables = dict[str, Any](), dict[str, str]()
    for key, variable in VARIABLES.items():
        if text := os.environ.get(variable):
            value: Any = _WORDS.get(text.lower(), text)
            if not isinstance(KEYS[key].default, str):
                value = int(text) if text.isdecimal() and text.isascii() else text
            try:
                given[key] = convert(value, KEYS[key].kind)
            except DecodingError:
                raise ConfigError([f"{variable}: {text!r} is not {KEYS[key].values}"]) from None
            variables[key] = variable
    return Configuration(with_values(file.config, given), file, variables)


def configuration() -> Configuration:
    """The settings for a command line, read once. Raises BrokenConfig."""
    meta = click.get_current_context().meta
    if _LOADED not in meta:
        try:
            meta[_LOADED] = load_configuration()
        except ConfigError as error:
            raise broken(error) from None
    loaded: Configuration = meta[_LOADED]
    return loaded


def draws_ascii() -> bool:
    """Whether our signs are drawn in ASCII if no option says so; a broken file says nothing."""
    try:
        wanted = configuration().config.ascii
    except BrokenConfig:
        wanted = "auto"
    return TERMINAL.draws_ascii if wanted == "auto" else wanted


def broken(error: Exception) -> BrokenConfig:
    """The error as one line with the way out."""
    return BrokenConfig(f"{error} (see {PROGRAM} config validate)")


def configured(key: str) -> Callable[[], Any]:
    """The default of an option that the settings file may set; None for "off" and "random"."""

    def default() -> Any:
        if click.get_current_context().resilient_parsing:  # the shell completes a command line
            return None
        return switch(value_of(configuration().config, key))

    return default
