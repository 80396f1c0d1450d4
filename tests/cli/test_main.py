"""The program itself: its help, its exit codes, what stands in the place of a command."""

import contextlib
import os
import threading
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from charrnn_tui import __version__
from charrnn_tui.cli.failures import explain
from charrnn_tui.cli.main import COMMANDS, cli
from charrnn_tui.playground.prime_sources import prime_from_file
from charrnn_tui.runner.local_backend import LocalBackend
from charrnn_tui.text.corpus import CorpusError
from charrnn_tui.text.text_settings import TextSettings
from tests.cli.conftest import Invoke, one_line


def test_help_lists_every_command_and_the_exit_codes(invoke: Invoke) -> None:
    for flag in ("-h", "--help"):
        result = invoke(flag)
        assert result.exit_code == 0
        assert all(f"\n  {name} " in result.stdout for name in COMMANDS)
        assert "130  interrupted" in result.stdout
        assert "./train" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_under_both_names(invoke: Invoke, command: str) -> None:
    result = invoke(command, "-h")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: cli {command} ")
    assert ("--runs-dir" in result.stdout) == (command not in ("completion", "config"))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_no_line_of_the_help_is_cut_at_80_columns(invoke: Invoke, command: str) -> None:
    result = invoke(*filter(None, [command]), "--help")
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_version_is_data(invoke: Invoke) -> None:
    result = invoke("--version")
    assert (result.exit_code, result.stdout) == (0, f"charrnn-tui {__version__}\n")


def test_without_a_terminal_the_app_names_the_headless_commands(invoke: Invoke, text_file: Path) -> None:
    for arguments in ((), (text_file,)):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "needs a terminal" in one_line(result)
        assert "train" in result.stderr


def test_a_path_that_is_not_there_is_a_failure_and_not_usage(invoke: Invoke) -> None:
    result = invoke("nowhere/book.txt")
    assert result.exit_code == 1
    assert "nowhere/book.txt: no such file" in one_line(result)


def test_a_directory_that_is_no_run_is_refused(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke(tmp_path)
    assert result.exit_code == 1
    assert f"not of a run; charrnn-tui train {tmp_path} trains on its texts" in one_line(result)


@pytest.mark.parametrize("command", ["sample", "info"])
def test_a_text_in_the_place_of_a_model_is_refused_with_how_to_train_on_it(
    invoke: Invoke, text_file: Path, command: str
) -> None:
    assert f"; if it is a text, charrnn-tui train {text_file} trains on it" in one_line(invoke(command, text_file))
    folder = text_file.parent
    assert f"not of a run; charrnn-tui train {folder} trains on its texts" in one_line(invoke(command, folder))
    (folder / "binary.txt").write_bytes(b"\1\0\2")
    assert "if it is a text" not in one_line(invoke(command, folder / "binary.txt"))


def test_a_misspelled_command_is_usage_and_gets_a_suggestion(invoke: Invoke) -> None:
    result = invoke("trian", "book.txt")
    assert result.exit_code == 2
    assert "did you mean train?" in one_line(result)


def test_a_file_named_like_a_command_opens_under_another_spelling(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train").write_text("a text")
    monkeypatch.chdir(tmp_path)
    assert "Missing argument 'CORPUS" in one_line(invoke("train"))
    assert "needs a terminal" in one_line(invoke("./train"))


@pytest.mark.parametrize(
    ("option", "said"),
    [("--length", "'abc' is not a whole number (see"), ("--temperature", "'abc' is not a number (see")],
)
def test_a_value_that_is_no_number_is_said_to_be_none(invoke: Invoke, option: str, said: str) -> None:
    result = invoke("sample", "anna", option, "abc")
    assert result.exit_code == 2
    assert said in one_line(result)


def test_wrong_usage_is_one_line_that_names_the_help(invoke: Invoke) -> None:
    for arguments in (["--nonsense"], ["sample", "--nonsense"], ["score"], ["export", "x"], ["doctor", "extra"]):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "--help)" in one_line(result)


def test_what_opens_a_path_is_not_named_as_a_command(invoke: Invoke, text_file: Path) -> None:
    assert "(see cli PATH --help)" in one_line(invoke(text_file, "--nonsense"))
    told = invoke(text_file, "--help").stdout
    assert told.startswith("Usage: cli PATH [OPTIONS]")
    assert "cli open" not in told


def test_the_directory_of_runs_may_stand_before_or_after_the_command(tmp_path: Path) -> None:
    before = CliRunner().invoke(cli, ["--runs-dir", str(tmp_path / "a"), "runs"])
    after = CliRunner().invoke(cli, ["--runs-dir", str(tmp_path / "b"), "runs", "--runs-dir", str(tmp_path / "a")])
    variable = CliRunner().invoke(cli, ["runs"], env={"CHARRNN_TUI_RUNS": str(tmp_path / "a")})
    assert before.stderr == after.stderr == variable.stderr
    assert str(tmp_path / "a") in before.stderr


def test_what_is_no_users_doing_keeps_its_traceback() -> None:
    assert explain(ZeroDivisionError()) is None
    assert explain(RuntimeError("shapes do not fit")) is None


def test_memory_that_is_not_there_is_told_in_words() -> None:
    told = explain(
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried")
    )
    assert told is not None
    assert told[1] == 1
    assert "not enough memory" in told[0]


def test_an_aborted_command_ends_with_130() -> None:
    assert explain(click.Abort()) == ("interrupted", 130)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device without an end")
@pytest.mark.parametrize("command", [(), ("info",), ("sample",), ("score",), ("export",)])
def test_what_is_no_file_is_neither_a_text_nor_a_checkpoint(
    invoke: Invoke, text_file: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    others = {"score": [text_file], "export": [tmp_path / "out.net"]}
    result = invoke(*command, "/dev/zero", *others.get(command[0] if command else "", []))
    assert result.exit_code == 1
    assert "/dev/zero: is a pipe or a device" in one_line(result)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_the_app_waits_for_no_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with contextlib.suppress(BrokenPipeError):
            pipe.write_bytes(b"text")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(CorpusError, match="pipe: is a pipe or a device"):
            LocalBackend(tmp_path).read_corpus([str(pipe)], TextSettings())
        with pytest.raises(ValueError, match="pipe: is a pipe or a device"):
            prime_from_file(str(pipe), "utf-8")
    finally:
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # so that the writer may end, whenever it comes to open it
        writer.join()
        os.close(reader)
