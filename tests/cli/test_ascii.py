"""The commands in ASCII: the option, the variable, the settings file, and the terminal decide, in this order."""

import json
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.cli.output import TERMINAL
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import Invoke, random_checkpoint

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
    for command in (["runs"], ["config"], ["config", "show"]):
        assert "--ascii / --no-ascii" in invoke(*command, "--help").stdout


def test_texts_in_a_pipe_stay_as_they_are(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "signs.safetensors"
    write_checkpoint(model, random_checkpoint(Vocabulary("a—×│")))
    monkeypatch.setattr(TERMINAL, "encoding", "ascii")
    options = ("--prime", "a—×│", "--length", 0, "--ascii")
    assert invoke("sample", model, *options).stdout == "a—×│"
    assert json.loads(invoke("sample", model, *options, "--json").stdout)["prime"] == "a—×│"
