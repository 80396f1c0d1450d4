"""The command `config`, and what the settings file changes in the other commands."""

import json
from pathlib import Path

import pytest

from charrnn_tui.cli.app import draws_runs_less_often
from charrnn_tui.run.config import DEFAULTS, KEYS, with_values
from charrnn_tui.run.config_file import read_config
from charrnn_tui.run.directory import list_runs
from tests.cli.conftest import TINY, Invoke, one_line


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "config.toml"
    path.parent.mkdir()
    monkeypatch.setenv("CHARRNN_TUI_CONFIG", str(path))
    for variable in ("CHARRNN_TUI_THEME", "CHARRNN_TUI_ASCII", "TEXTUAL_FPS"):
        monkeypatch.delenv(variable, raising=False)
    return path


def test_init_writes_a_valid_file_with_every_default_and_never_overwrites(invoke: Invoke, file: Path) -> None:
    assert invoke("config", "init").stdout == f"{file}\n"
    assert read_config(file).config == DEFAULTS
    assert '# "play.reroll" = "r"' in file.read_text()
    assert invoke("config", "validate").exit_code == 0
    file.write_text("# mine\n")
    refused = invoke("config", "init")
    assert (refused.exit_code, one_line(refused)) == (1, f"charrnn-tui: {file}: exists already, and stays as it is\n")
    assert file.read_text() == "# mine\n"


def test_path_prints_the_file_that_is_read(
    invoke: Invoke, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert invoke("config", "path").stdout == f"{file}\n"
    monkeypatch.delenv("CHARRNN_TUI_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert invoke("config", "path").stdout.endswith("config.toml\n")


def test_show_says_where_each_value_comes_from(invoke: Invoke, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('theme = "nord"\n[play]\ntop_k = "off"\n[keymap]\n"play.reroll" = "z"\n')
    monkeypatch.setenv("CHARRNN_TUI_ASCII", "1")
    rows = [line.split() for line in invoke("config", "show").stdout.splitlines()]
    assert ["theme", '"nord"', f"{file}:1"] in rows
    assert ["play.top_k", '"off"', f"{file}:3"] in rows
    assert ["ascii", "true", "CHARRNN_TUI_ASCII"] in rows
    assert ["play.speed", "60", "default"] in rows
    assert ["keymap.play.reroll", '"z"', f"{file}:5"] in rows
    shown = json.loads(invoke("config", "show", "--json").stdout)
    assert (shown["path"], shown["exists"]) == (str(file), True)
    assert shown["settings"]["theme"] == {"value": "nord", "source": f"{file}:1"}
    assert set(KEYS) < set(shown["settings"])


def test_a_variable_wins_over_the_file_and_is_named_when_it_is_wrong(
    invoke: Invoke, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('theme = "nord"\n')
    monkeypatch.setenv("CHARRNN_TUI_THEME", "gruvbox")
    shown = json.loads(invoke("config", "show", "--json").stdout)
    assert shown["settings"]["theme"] == {"value": "gruvbox", "source": "CHARRNN_TUI_THEME"}
    monkeypatch.setenv("CHARRNN_TUI_THEME", "grubox")
    assert 'CHARRNN_TUI_THEME: there is no theme "grubox"; did you mean gruvbox?' in invoke("config", "validate").stderr
    monkeypatch.setenv("CHARRNN_TUI_ASCII", "perhaps")
    wrong = invoke("config", "validate")
    assert (wrong.exit_code, wrong.stderr) == (
        1,
        "CHARRNN_TUI_ASCII: 'perhaps' is not true, false or \"auto\"\n",
    )


def test_validate_lists_all_that_is_wrong(invoke: Invoke, file: Path) -> None:
    file.write_text("thme = 1\n[play]\ntop_k = 0\n")
    result = invoke("config", "validate")
    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.removeprefix(f"{file}:") for line in result.stderr.splitlines()] == [
        "1: thme: no such key; did you mean theme?",
        '3: play.top_k: 0 is not a whole number from 1 up, or "off"',
    ]


def test_validate_checks_themes_and_keys(invoke: Invoke, file: Path) -> None:
    file.write_text('theme = "nordd"\n[keymap]\n"play.reroll" = "x"\n')
    result = invoke("config", "validate")
    assert result.exit_code == 1
    assert f'{file}:1: theme: there is no theme "nordd"; did you mean nord?' in result.stderr
    assert f"{file}:3: keymap.play.reroll: the key x is taken by play.delete" in result.stderr


def test_sample_takes_its_defaults_from_the_file_and_an_option_wins(
    invoke: Invoke, file: Path, checkpoint_file: Path
) -> None:
    file.write_text("[sample]\nlength = 7\nseed = 3\ntop_k = 2\ntemperature = 0.5\n")
    by_file = json.loads(invoke("sample", checkpoint_file, "--json").stdout)
    assert {by_file[name] for name in ("chars", "seed", "top_k", "temperature")} == {7, 3, 2, 0.5}
    options = ("--length", 4, "--top-k", "none", "--temperature", 2)
    by_option = json.loads(invoke("sample", checkpoint_file, *options, "--json").stdout)
    assert (by_option["chars"], by_option["top_k"], by_option["temperature"]) == (4, None, 2.0)


def test_the_defaults_of_sample_in_its_help_are_those_of_the_file_format(invoke: Invoke, file: Path) -> None:
    file.write_text("[sample]\nlength = 7\n")
    words = " ".join(invoke("sample", "--help").stdout.split())
    assert f"Characters to write. [default: ({DEFAULTS.sample.length});" in words
    assert f"always takes the most likely one. [default: ({DEFAULTS.sample.temperature})]" in words


def test_a_new_run_takes_preset_and_on_hangup_from_the_file(
    invoke: Invoke, file: Path, text_file: Path, runs: Path
) -> None:
    file.write_text('[train]\npreset = "thorough"\non_hangup = "checkpoint-and-stop"\n')
    assert invoke("train", text_file, *TINY, "--max-steps", 1).exit_code == 0
    settings = list_runs(runs)[0].read_settings()["settings"]
    assert (settings["preset"], settings["on_hangup"]) == ("thorough", "checkpoint-and-stop")
    file.write_text('[train]\npreset = "notebook"\n')
    resumed = invoke("train", "--resume", list_runs(runs)[0].name, "--max-steps", 2)
    assert resumed.exit_code == 0, resumed.stderr  # the file is for new runs


@pytest.mark.parametrize("command", [("train", "x.txt"), ("sample", "x.net")])
def test_a_broken_file_stops_what_needs_it_with_one_line(invoke: Invoke, file: Path, command: tuple[str, ...]) -> None:
    file.write_text("theme = \n")
    result = invoke(*command)
    expected = f"charrnn-tui: {file}:1: is not TOML: Invalid value (see charrnn-tui config validate)\n"
    assert (result.exit_code, one_line(result)) == (2, expected)


@pytest.mark.parametrize(
    "command", [("config", "path"), ("--help",), ("train", "--help"), ("config", "--help"), ("runs", "--json")]
)
def test_a_broken_file_stops_nothing_else(invoke: Invoke, file: Path, command: tuple[str, ...]) -> None:
    file.write_text("theme = \n")
    result = invoke(*command)
    assert (result.exit_code, result.stdout != "") == (0, True)


def test_doctor_names_the_file_and_what_is_wrong_with_it(invoke: Invoke, file: Path) -> None:
    assert f"{file} (none)" in invoke("doctor", "--no-speed").stdout
    file.write_text("theme = \n")
    result = invoke("doctor", "--no-speed")
    assert (result.exit_code, result.stderr) == (1, f"charrnn-tui: {file}:1: is not TOML: Invalid value\n")


@pytest.mark.parametrize(
    ("setting", "over_ssh", "expected"),
    [("auto", False, False), ("auto", True, True), (True, False, True), (False, True, False)],
)
def test_the_file_decides_how_often_runs_are_drawn_and_else_the_connection(
    setting: bool | str, over_ssh: bool, expected: bool
) -> None:
    config = with_values(DEFAULTS, {"low_bandwidth": setting})
    assert draws_runs_less_often(config, {"SSH_CONNECTION": "1 2 3 4"} if over_ssh else {}) == expected


def test_frames_per_second_may_stand_in_the_variable_of_textual(
    invoke: Invoke, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("frames_per_second = 5\n")
    monkeypatch.setenv("TEXTUAL_FPS", "7")
    shown = json.loads(invoke("config", "show", "--json").stdout)["settings"]["frames_per_second"]
    assert shown == {"value": 7, "source": "TEXTUAL_FPS"}
    monkeypatch.setenv("TEXTUAL_FPS", "seven")
    assert "TEXTUAL_FPS: 'seven' is not a whole number from 1 to 240" in invoke("config", "validate").stderr
