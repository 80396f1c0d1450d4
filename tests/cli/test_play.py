"""`play`: line by line in a pipe and in a terminal, full screen otherwise."""

import signal
import subprocess
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import Invoke, one_line, random_checkpoint
from tests.cli.program import PROGRAM, environment
from tests.terminal.pseudo_terminal import PseudoTerminal


def by_pipe(model: object, *lines: str, runs: Path) -> subprocess.CompletedProcess[str]:
    """The program with these lines as its input."""
    return subprocess.run(
        [*PROGRAM, "play", "--plain", str(model)],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        encoding="utf-8",
        env=environment(runs),
        timeout=60,
    )


def test_a_pipe_gets_texts_on_standard_output_and_messages_on_standard_error(
    runs: Path, checkpoint_file: Path, invoke: Invoke
) -> None:
    done = by_pipe(checkpoint_file, ":length 40", ":seed 3", "The", ":quit", "never read", runs=runs)
    assert done.returncode == 0
    options = ("--length", 40, "--seed", 3, "--top-k", 5, "--temperature", 0.8)
    text = invoke("sample", checkpoint_file, "--prime", "The", *options).stdout
    assert done.stdout.endswith(text if text.endswith("\n") else text + "\n")
    assert done.stderr.splitlines()[0] == "model: model.safetensors 2×16 · val 1.500 nats/char, 4×10"
    assert "\nlength 40 chars\n" in done.stderr
    assert ">" not in done.stdout


def test_the_other_controls_are_settings_too(runs: Path, checkpoint_file: Path) -> None:
    done = by_pipe(checkpoint_file, ":stop h", ":only Tha", ":top-k off", ":go", ":settings", runs=runs)
    assert done.returncode == 0, done.stderr
    text, _, settings = done.stdout.partition("model ")
    assert set(text.removeprefix("The")) <= set("Tha\n")
    assert text.endswith("h\n")
    assert '\nonly "Tha"\n' in settings
    assert '\nstop "h"\n' in settings


def test_the_end_of_the_input_ends_it(runs: Path, checkpoint_file: Path) -> None:
    done = by_pipe(checkpoint_file, runs=runs)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_first_error_ends_a_script(runs: Path, checkpoint_file: Path) -> None:
    done = by_pipe(checkpoint_file, "The", ":why 999", ":help", runs=runs)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("charrnn-tui: '999' is not the number of a character: 1 to 200")
    assert ":help" not in done.stdout
    done = by_pipe(checkpoint_file, "The", ":model nowhere", ":help", runs=runs)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("charrnn-tui: nowhere: no such file")
    assert ":help" not in done.stdout


def test_control_characters_are_visible_in_a_pipe_and_raw_in_a_file(runs: Path, tmp_path: Path) -> None:
    model, file = tmp_path / "log.safetensors", tmp_path / "text.txt"
    write_checkpoint(model, random_checkpoint(Vocabulary("\x1b[2J\x9b\x07")))
    done = by_pipe(model, ":go", f":save {file}", ":why 1", runs=runs)
    assert done.returncode == 0
    assert "␛" in done.stdout
    assert not {"\x1b", "\x9b", "\x07"} & set(done.stdout + done.stderr)
    assert "\x1b" in file.read_text("utf-8")


@pytest.mark.parametrize("command", [":model", ":save", ":bogus", ":top-k", ":why", ":fork 1", ":prime"])
def test_control_characters_that_are_typed_do_not_reach_the_terminal(
    command: str, invoke: Invoke, checkpoint_file: Path, tmp_path: Path
) -> None:
    hostile = f"{tmp_path}/\x1b]0;x\x07\u202e"
    result = invoke("play", "--plain", checkpoint_file, answer=f"The\n{command} {hostile}\n:settings\n")
    assert result.exception is None or result.exit_code in (1, 2)
    assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout + result.stderr)


def test_a_model_that_is_not_there_fails_before_a_line_is_read(invoke: Invoke) -> None:
    result = invoke("play", "--plain", "nowhere", answer="The\n")
    assert result.exit_code == 1
    assert "nowhere: no such file" in one_line(result)


def test_without_a_terminal_it_is_plain(invoke: Invoke, checkpoint_file: Path) -> None:
    result = invoke("play", checkpoint_file, answer=":settings\n")
    assert result.exit_code == 0
    assert result.stdout.startswith("model model.safetensors 2×16 ")


def play(model: Path, runs: Path, *options: str, **variables: str) -> PseudoTerminal:
    return PseudoTerminal([*PROGRAM, "play", *options, str(model)], 80, 24, environment(runs, **variables))


@pytest.mark.terminal
def test_a_terminal_shows_a_prompt_and_an_error_ends_nothing(runs: Path, checkpoint_file: Path) -> None:
    with play(checkpoint_file, runs, "--plain", TERM="dumb") as terminal:
        terminal.wait_for("\n>")
        terminal.type("The\n")
        terminal.wait_for("200 chars · ")
        terminal.type(":repaly\n")
        terminal.wait_for("did you mean :replay?")
        terminal.type(":why 12\n")
        terminal.wait_for("entropy ")
        terminal.type("\x04")
        assert terminal.wait_for_end() == 0
        assert b"\x1b" not in terminal.received
        assert terminal.received.endswith(b"\r\n")


@pytest.mark.terminal
def test_ctrl_c_stops_a_text_and_at_the_prompt_the_program(runs: Path, checkpoint_file: Path) -> None:
    with play(checkpoint_file, runs, "--plain") as terminal:
        terminal.wait_for("\n>")
        for setting in ("length no limit", "speed 20"):
            terminal.type(f":{setting}\n")
            terminal.wait_for(lambda screen: screen.rstrip().endswith("\n>"))
        terminal.type("The\n")
        terminal.wait_for("> The\nThe")  # what was typed, and the text
        terminal.send_signal(signal.SIGINT)
        terminal.wait_for("stopped, :go writes on · ")
        terminal.type(":settings\n")
        terminal.wait_for("\nlength no limit")
        terminal.wait_for(lambda screen: screen.rstrip().endswith("\n>"))
        terminal.send_signal(signal.SIGINT)
        assert terminal.wait_for_end() == 130


@pytest.mark.terminal
def test_without_plain_a_terminal_shows_the_app_on_the_model(runs: Path, checkpoint_file: Path) -> None:
    with play(checkpoint_file, runs, TERM="xterm-256color") as terminal:
        terminal.wait_for("model.safetensors 2×16")
        terminal.type("q")
        assert terminal.wait_for_end() == 0
