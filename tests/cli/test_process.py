"""What only a process of its own shows: signals, closed pipes, locales, full disks."""

import json
import os
import resource
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint, write_checkpoint
from charrnn_tui.run.directory import RunDirectory, list_runs
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import TINY, random_checkpoint
from tests.cli.program import PROGRAM, environment, finish, start

ENDLESS = (*TINY, "--epochs", 100_000, "--print-every", 1000)


def read_until(process: subprocess.Popen[str], event: str) -> dict[str, object]:
    """The first event of this name that the program writes."""
    assert process.stdout is not None
    for line in process.stdout:
        values: dict[str, object] = json.loads(line)
        if values["event"] == event:
            return values
    raise AssertionError(f"no {event}")


def leave(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Stop reading its output; (exit code, standard error) when it has ended."""
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    stderr = process.stderr.read()
    return process.wait(60), stderr


@pytest.mark.parametrize(
    ("signum", "code", "ignored"),
    [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, False), (signal.SIGINT, 130, True)],
    ids=["ctrl-c", "sigterm", "sigint that a shell's background job ignores"],
)
def test_a_signal_saves_the_model_and_ends_the_training(
    runs: Path, text_file: Path, signum: signal.Signals, code: int, ignored: bool
) -> None:
    process = start("train", text_file, *ENDLESS, "--json", runs=runs, ignoring_sigint=ignored)
    read_until(process, "step_done")
    process.send_signal(signum)
    returned, stdout, stderr = finish(process)
    assert returned == code
    assert "saving, then stopping" in stderr
    assert "\nresume with: charrnn-tui train --resume happy-1\n" in stderr
    assert "Traceback" not in stderr
    last = json.loads(stdout.splitlines()[-1])
    assert (last["event"], last["state"]) == ("run_finished", "interrupted")
    run = RunDirectory(runs / "happy-1")
    assert read_checkpoint(run.last_file).facts["step"] == last["step"]
    assert run.progress().state == "interrupted"
    assert run.trainer() is None


def test_a_training_goes_on_when_nobody_reads_its_events_any_more(runs: Path, text_file: Path) -> None:
    short = (*TINY, "--epochs", 20, "--print-every", 1000)
    with start("train", text_file, *short, "--json", runs=runs) as process:
        read_until(process, "step_done")
        returned, stderr = leave(process)
    run = RunDirectory(runs / "happy-1")
    told = f"nobody reads standard output any more; the training continues, its events are in {run.events_file}\n"
    assert (returned, stderr) == (0, told)
    assert run.progress().state == "finished"
    assert read_checkpoint(run.last_file).facts["step"] == run.progress().total_steps


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_training_whose_events_the_disk_does_not_take_saves_and_says_why(runs: Path, text_file: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, "train", str(text_file), *map(str, ENDLESS), "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, env=environment(runs), check=False,
        )  # fmt: skip
    assert done.returncode == 1
    run, progress = RunDirectory(runs / "happy-1"), RunDirectory(runs / "happy-1").progress()
    saved = " and saved" if progress.step else ""
    cause = "standard output: No space left on device"
    assert done.stderr == f"charrnn-tui: {cause}: stopped{saved} at step {progress.step}\n"
    assert progress.state == "stopped"
    assert progress.reason == "standard output: No space left on device; the events cannot be written"
    if progress.step:
        assert read_checkpoint(run.last_file).facts["step"] == progress.step


def test_text_streams_to_its_reader_who_may_leave(runs: Path, checkpoint_file: Path) -> None:
    with start("sample", checkpoint_file, "--length", 10**9, runs=runs) as process:  # would take days
        assert process.stdout is not None
        assert process.stdout.read(500).startswith("The")
        assert leave(process) == (0, "")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_writing_without_a_traceback(
    runs: Path, checkpoint_file: Path, signum: signal.Signals, code: int
) -> None:
    process = start("sample", checkpoint_file, "--length", 10**9, runs=runs)
    assert process.stdout is not None
    process.stdout.read(100)
    process.send_signal(signum)
    returned, _, stderr = finish(process)
    assert returned == code
    assert "Traceback" not in stderr


def test_a_detached_training_runs_the_command_at_its_end(runs: Path, text_file: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "result"
    os.mkfifo(pipe)
    command = ("--on-end", f"cat > {shlex.quote(str(pipe))}")
    code, _, stderr = finish(start("train", text_file, *TINY, "--detach", *command, runs=runs))
    assert code == 0, stderr
    assert json.loads(pipe.read_text())["state"] == "finished"


@pytest.mark.skipif(os.name != "posix", reason="standard input has no name elsewhere")
def test_a_hyphen_is_standard_input_wherever_a_text_is_read(runs: Path, text_file: Path, checkpoint_file: Path) -> None:
    def run(*arguments: object, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            input=text, capture_output=True, text=True, env=environment(runs), check=False,
        )  # fmt: skip

    assert run("sample", checkpoint_file, "--prime-file", "-", "--length", 0, text="happy").stdout == "happy"
    recipe = json.loads(run("sample", checkpoint_file, "--length", 9, "--json", text="").stdout)
    again = run("sample", "--recipe", "-", text=json.dumps(recipe["recipe"]))
    assert again.stdout == recipe["prime"] + recipe["text"]
    scored = [run("score", checkpoint_file, file, "--json", text=text_file.read_text()) for file in ("-", text_file)]
    first, second = (json.loads(done.stdout)["loss"] for done in scored)
    assert first == second
    for options in ((), ("--detach",)):
        done = run("train", "-", *TINY, "--max-steps", 2, *options, text=text_file.read_text())
        assert done.returncode == 0, done.stderr
    assert {run.name for run in list_runs(runs)} == {"stdin-1", "stdin-2"}
    for again in ((), ("-",)):  # it was read already
        refused = run("train", "--resume", "stdin-1", *again, "--max-steps", 5, text=text_file.read_text())
        assert refused.stderr.startswith("charrnn-tui: /dev/stdin: no such file")
        assert refused.stderr.endswith("name it: charrnn-tui train --resume stdin-1 PATH\n")
    assert run("train", "--resume", "stdin-1", text_file, "--max-steps", 5, text="").returncode == 0


def test_output_is_utf_8_whatever_the_locale(runs: Path, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "é.safetensors", random_checkpoint(Vocabulary("é☂\n")))
    locale = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for arguments in (
        ("sample", tmp_path / "é.safetensors", "--length", 20, "--prime", ""),
        ("info", tmp_path / "é.safetensors"),
    ):
        code, stdout, stderr = finish(start(*arguments, runs=runs, **locale))
        assert (code, stderr) == (0, "")
        assert "☂" in stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_is_one_line(runs: Path, checkpoint_file: Path) -> None:
    for command in ("sample", "info"):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [*PROGRAM, command, str(checkpoint_file)],
                stdout=full, stderr=subprocess.PIPE, text=True, env=environment(runs), check=False,
            )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr == "charrnn-tui: standard output: No space left on device\n"


def test_python_m_is_the_program(runs: Path) -> None:
    code, stdout, stderr = finish(start("runs", "--json", runs=runs))
    assert (code, stdout, stderr) == (0, "[]\n", "")


def test_texts_too_long_to_wait_for_side_by_side_are_written_as_they_come(runs: Path, checkpoint_file: Path) -> None:
    asked = ("--count", 8, "--length", 10**23, "--seed", 1)
    with start("sample", checkpoint_file, *asked, runs=runs) as process:
        assert process.stdout is not None
        assert process.stdout.read(3) == "The"
        assert leave(process) == (0, "")


def test_a_training_whose_model_the_disk_does_not_take_has_failed(runs: Path, text_file: Path) -> None:
    def with_little_room() -> None:  # for a file: enough for the events
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    done = subprocess.run(
        [*PROGRAM, "train", str(text_file), *TINY, "--n-hidden", "96"],
        capture_output=True, text=True, env=environment(runs), check=False, preexec_fn=with_little_room,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the model of step" in done.stderr.splitlines()[-1]
    assert "last.safetensors could not be saved: File too large" in done.stderr.splitlines()[-1]
    assert "write with it" not in done.stderr
