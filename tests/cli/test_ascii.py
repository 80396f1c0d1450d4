"""The commands in ASCII: the option, the variable, the settings file, and the terminal decide, in this order."""

from pathlib import Path

import pytest

from charrnn_tui.cli.output import TERMINAL
from tests.cli.conftest import Invoke

SIGN = "× 16"  # of `info`: layers × units


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setenv("CHARRNN_TUI_CONFIG", str(path))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CHARRNN_TUI_ASCII", raising=False)
    monkeypatch.setattr(TERMINAL, "encoding", "UTF-8")
    return path


def test_option_variable_file_and_terminal_decide_in_this_order(
    invoke: Invoke, checkpoint_file: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_ascii(*options: str) -> bool:
        words = invoke("info", checkpoint_file, *options).stdout
        assert (SIGN in words) != ("x 16" in words)
        return "x 16" in words

    assert not in_ascii()
    monkeypatch.setenv("TERM", "linux")
    assert in_ascii()
    file.write_text("ascii = false\n")
    assert not in_ascii()
    monkeypatch.setenv("CHARRNN_TUI_ASCII", "1")
    assert in_ascii()
    assert not in_ascii("--no-ascii")
    assert in_ascii("--ascii")


def test_the_option_may_stand_before_the_command(invoke: Invoke, checkpoint_file: Path) -> None:
    assert SIGN not in invoke("--ascii", "info", checkpoint_file).stdout
    assert SIGN in invoke("--ascii", "info", checkpoint_file, "--no-ascii").stdout


def test_a_locale_that_is_not_utf8_decides_and_a_broken_file_decides_nothing(
    invoke: Invoke, checkpoint_file: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TERMINAL, "encoding", "ISO-8859-1")
    file.write_text("ascii = \n")
    assert SIGN not in invoke("info", checkpoint_file).stdout


def test_the_help_is_ascii(invoke: Invoke) -> None:
    assert invoke("--help").stdout.isascii()
    assert "--ascii / --no-ascii" in invoke("runs", "--help").stdout


def test_data_in_a_pipe_stays_as_it_is(invoke: Invoke, checkpoint_file: Path, tmp_path: Path) -> None:
    prime = tmp_path / "prime.txt"
    prime.write_text("happy — ×\n", encoding="utf-8")
    options = ("--prime-file", prime, "--unknown", "skip", "--length", 3, "--ascii")
    shown = invoke("sample", checkpoint_file, "--prime", "happy", "--length", 3, "--ascii")
    assert shown.stdout.startswith("happy")
    assert invoke("sample", checkpoint_file, *options).exit_code in (0, 2)
