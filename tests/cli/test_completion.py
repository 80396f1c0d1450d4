"""The shell completes commands, options, and the names of runs and models."""

import shutil
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from charrnn_tui.cli.completion import SHELLS
from charrnn_tui.cli.main import COMMANDS, cli
from charrnn_tui.run.events import RunStarted
from charrnn_tui.runner.find_model import SHIPPED
from tests.cli.conftest import Invoke
from tests.cli.program import PROGRAM, environment
from tests.cli.test_runs import a_run


@pytest.fixture(autouse=True)
def names(runs: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Of two runs, in the directory that the environment names."""
    monkeypatch.setenv("CHARRNN_TUI_RUNS", str(runs))
    return {a_run(runs, RunStarted(time=1.0)).name for _ in range(2)}


def completed(*words: str) -> set[str]:
    """What is offered for the last of the words after the program's name; files are one `FILES`."""
    items = BashComplete(cli, {}, "charrnn-tui", "").get_completions(list(words[:-1]), words[-1])
    return {"FILES" if item.type == "file" else str(item.value) for item in items}


def test_the_first_word_is_a_command_a_run_or_a_file(names: set[str]) -> None:
    assert completed("") == {*COMMANDS, *names, "FILES"}
    assert completed("ex") == {"export", "FILES"}
    assert completed("--r") == {"--runs-dir"}


def test_options_and_their_values_are_completed() -> None:
    assert {"--weight-drop", "--weight-decay"} <= completed("train", "--weight-")
    assert completed("train", "--preset", "") == {"notebook", "quick", "thorough"}


@pytest.mark.parametrize("words", [("watch", ""), ("rm", ""), ("train", "--resume", ""), ("rm", "some-run", "")])
def test_a_run_is_completed_by_the_runs(words: tuple[str, ...], names: set[str]) -> None:
    assert completed(*words) == {*names, "FILES"}


@pytest.mark.parametrize("command", ["sample", "score", "export", "info"])
def test_a_model_is_a_run_a_shipped_one_or_a_file(command: str, names: set[str]) -> None:
    assert completed(command, "") == {*names, *SHIPPED, "FILES"}
    assert completed(command, "an") == {"anna", "FILES"}


def test_runs_of_another_directory_are_found(tmp_path: Path) -> None:
    other = a_run(tmp_path / "other", RunStarted(time=1.0)).name
    for words in (
        ("--runs-dir", str(tmp_path / "other"), "watch", ""),
        ("watch", "--runs-dir", str(tmp_path / "other"), ""),
    ):
        assert completed(*words) == {other, "FILES"}


def test_texts_are_files() -> None:
    assert completed("train", "") == completed("score", "anna", "") == {"FILES"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_the_shell_s(shell: str, invoke: Invoke) -> None:
    script = invoke("completion", shell).stdout
    assert f"_CHARRNN_TUI_COMPLETE={shell}_complete" in script
    assert "charrnn-tui" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script(runs: Path, names: set[str], tmp_path: Path, invoke: Invoke) -> None:
    program = tmp_path / "bin" / "charrnn-tui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {" ".join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    script = invoke("completion", "bash").stdout
    asked = (
        'COMP_WORDS=(charrnn-tui watch "") COMP_CWORD=2; _charrnn_tui_completion charrnn-tui; echo "${COMPREPLY[@]}"'
    )
    shell = environment(runs, PATH=f"{program.parent}:/usr/bin:/bin")
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\ncompopt() {{ :; }}\n{asked}"], env=shell, capture_output=True, text=True
    )
    assert set(done.stdout.split()) == names
    assert done.stderr == ""
