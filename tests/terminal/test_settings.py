"""The settings file and the program in a real terminal."""

import os
import re
import sys
import tomllib
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from tests.playground.scripted_backend import tiny_checkpoint
from tests.terminal.pseudo_terminal import PseudoTerminal

pytestmark = [pytest.mark.terminal, pytest.mark.timeout(240)]
PROGRAM = [sys.executable, "-m", "charrnn_tui"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def environment(tmp_path: Path, file: Path) -> dict[str, str]:
    left_out = ("COLUMNS", "LINES", "NO_COLOR", "LC_ALL", "CHARRNN_TUI_THEME", "TEXTUAL_FPS")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    places = {"CHARRNN_TUI_RUNS": str(tmp_path / "runs"), "CHARRNN_TUI_CONFIG": str(file)}
    return kept | places | {"TERM": "xterm-256color", "LC_CTYPE": "C.UTF-8", "OMP_NUM_THREADS": "1"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    write_checkpoint(path, tiny_checkpoint())
    return path


def test_the_app_takes_keys_and_controls_from_the_file_and_stores_a_theme_in_it(
    model: Path, environment: dict[str, str], file: Path
) -> None:
    settings = '# mine\n[play]\ntop_k = 3  # few\nlength = 30\nspeed = "off"\n\n[keymap]\n"app.quit" = "z"\n'
    file.write_text(settings, encoding="utf-8")
    with PseudoTerminal([*PROGRAM, str(model)], 100, 24, environment) as terminal:
        terminal.wait_for("page full")
        terminal.wait_for("z Quit")
        assert re.search(r"top-k\W+3\b", terminal.text)
        terminal.type(":")
        terminal.wait_for("Search for commands")
        terminal.type(*"theme")
        terminal.wait_for("Change the current theme")
        terminal.type("\r")
        terminal.wait_for("okabe-ito-light")
        terminal.type(*"nord")
        terminal.wait_for(lambda screen: "nord" in screen and "okabe-ito-light" not in screen)
        terminal.type("\r")
        terminal.wait_for(lambda screen: "Search for commands" not in screen and "z Quit" in screen)
        terminal.type("z")
        assert terminal.wait_for_end() == 0
    assert file.read_text("utf-8") == 'theme = "nord"\n' + settings
    assert tomllib.loads(file.read_text("utf-8"))["theme"] == "nord"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('[keymap]\n"play.reroll" = "x"\n', ":2: keymap.play.reroll: the key x is taken by play.delete"),
        ('theme = "nordd"\n', ':1: theme: there is no theme "nordd"; did you mean nord?'),
        ("theme = \n", ":1: is not TOML"),
    ],
)
def test_a_broken_file_keeps_the_app_closed_and_says_why(
    model: Path, environment: dict[str, str], file: Path, settings: str, problem: str
) -> None:
    file.write_text(settings, encoding="utf-8")
    with PseudoTerminal([*PROGRAM, str(model)], 300, 24, environment) as terminal:
        assert terminal.wait_for_end() == 2
        assert f"charrnn-tui: {file}{problem}" in terminal.text
        assert "(see charrnn-tui config validate)" in terminal.text
        assert terminal.text.count("charrnn-tui: ") == 1
