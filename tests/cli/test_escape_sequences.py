"""Names of files, runs and texts may hold any character; the terminal is sent none that would steer it."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.cli.main import _say_traceback
from charrnn_tui.cli.output import visible_line
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import AlarmRaised, RunFinished, RunStarted, StepDone
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import TINY, Invoke, random_checkpoint, some_text
from tests.cli.test_terminal import screen_after

C0 = "".join(map(chr, [*range(1, 0x20), 0x7F]))
C1 = "".join(map(chr, range(0x80, 0xA0)))
BIDI = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
STEERING = C0 + C1 + BIDI
NAME = f"a{STEERING}z"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="such names of files are refused elsewhere")
on_a_terminal = pytest.mark.terminal


def raw(output: str) -> set[str]:
    """The characters in it that would steer a terminal; line feeds between lines are ours."""
    return set(output) & (set(STEERING) - {"\n"})


@pytest.fixture
def hostile_run(runs: Path) -> RunDirectory:
    """A run whose name, text, device, alarm and end have all of them."""
    run = RunDirectory(runs / NAME)
    run.path.mkdir(parents=True)
    run.write_settings({"name": NAME, "corpus": [f"/{NAME}.txt"], "corpus_sha256": "0" * 64, "settings": {}})
    writer = EventWriter(run.events_file)
    named: dict[str, Any] = dict.fromkeys(("run", "corpus", "device", "device_name", "precision"), NAME)
    numbers: dict[str, Any] = dict.fromkeys(
        ("loss", "grad_norm", "lr", "seconds", "chars_per_second", "train_seconds"), 1.0
    )
    for event in (
        RunStarted(time=1.0, lstm=f"PyTorch{NAME}", **named),
        StepDone(time=2.0, step=1, epoch=1, **numbers),
        AlarmRaised(time=3.0, step=1, kind="disk", message=NAME),
        RunFinished(time=4.0, step=1, state="failed", reason=NAME),
    ):
        writer.append(event)
    writer.close()
    facts: Any = dict.fromkeys(("run", "corpus", "corpus_sha256", "device", "precision", NAME), NAME)
    write_checkpoint(
        run.best_file, replace(random_checkpoint(Vocabulary(sorted({*some_text(2000), "\x1b"}))), facts=facts)
    )
    return run


@pytest.mark.parametrize(
    "command",
    [
        ("runs",),
        ("runs", "--json"),
        ("info", "RUN"),
        ("info", "RUN", "--json"),
        ("info", "BEST"),
        ("watch", "RUN", "--once"),
        ("watch", "RUN", "--once", "--json"),
        ("watch", "RUN", "--plain"),
        ("watch", "RUN", "--json"),
        ("watch", NAME + "x", "--once"),
        ("sample", "RUN", "--length", "3", "--json"),
        ("sample", NAME + "x"),
        ("sample", "RUN", "--prime", STEERING),
        ("sample", "RUN", "--prime-file", NAME),
        ("sample", "RUN", "--recipe", NAME),
        ("sample", "RUN", "--temperature", NAME),
        ("play", "--plain", "RUN"),
        ("play", "--plain", NAME + "x"),
        ("score", "RUN", NAME),
        ("score", "RUN", "TEXT", "--json"),
        ("export", "RUN", "TEXT"),
        ("export", NAME + "x", "out.net"),
        ("export", "RUN", "OUT"),
        ("train", NAME),
        ("train", "TEXT", *TINY, "--max-steps", "1"),
        ("train", "TEXT", *TINY, "--max-steps", "1", "--json"),
        ("train", "TEXT", "--name", NAME),
        ("train", "TEXT", "--encoding", NAME[1:]),
        ("train", "--resume", "RUN"),
        ("train", "--resume", NAME + "x"),
        ("doctor", "--no-speed", "--runs-dir", f"/tmp/{NAME}"),
        ("doctor", "--no-speed", "--json", "--runs-dir", f"/tmp/{NAME}"),
        ("rm", NAME + "x"),
        ("rm", "RUN"),
        ("rm", "RUN", "--yes"),
        ("train", "TEXT", *TINY, "--max-steps", "1", "--on-end", f": {NAME[1:]}; exit 1"),
        (NAME,),
        ("RUN",),
        (f"--{NAME}",),
        ("runs", "--runs-dir", f"/tmp/{NAME}"),
    ],
    ids=lambda command: " ".join(word if word.isprintable() else "NAME" for word in command),
)
def test_no_command_writes_a_character_that_steers_the_terminal(
    invoke: Invoke, hostile_run: RunDirectory, tmp_path: Path, command: tuple[str, ...]
) -> None:
    text = tmp_path / f"{NAME}.txt"
    text.write_text(some_text(2000))
    stands_for = {
        "RUN": hostile_run.path, "BEST": hostile_run.best_file, "TEXT": text, "OUT": tmp_path / f"{NAME}.net"
    }  # fmt: skip
    result = invoke(*(stands_for.get(word, word) for word in command))
    assert raw(result.output) == set()
    assert result.output
    if "--json" in command:
        assert all(json.loads(line) for line in result.stdout.splitlines())


def test_a_traceback_is_made_visible_too(capsys: pytest.CaptureFixture[str]) -> None:
    error = ZeroDivisionError(f"{NAME}: unforeseen")
    _say_traceback(type(error), error, None)
    told = capsys.readouterr().err
    assert "ZeroDivisionError: a" in told
    assert raw(told) == set()


def test_json_keeps_every_character_as_an_escape(invoke: Invoke, hostile_run: RunDirectory) -> None:
    (values,) = json.loads(invoke("runs", "--json").stdout)
    assert values["run"] == hostile_run.name


def test_every_such_character_is_shown_by_another() -> None:
    for char in STEERING:
        assert visible_line(char).isprintable()


def test_a_warning_is_a_message_like_any_other(invoke: Invoke, hostile_run: RunDirectory) -> None:
    told = invoke("info", hostile_run.best_file).stderr
    assert told.startswith("charrnn-tui: ")
    assert "facts left out" in told
    assert raw(told) == set()


@on_a_terminal
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("command", ["train", "watch", "runs", "sample"])
def test_on_a_terminal_our_own_sequences_are_the_only_ones(
    hostile_run: RunDirectory, runs: Path, tmp_path: Path, command: str
) -> None:
    text = tmp_path / f"{NAME}.txt"
    text.write_text(some_text(2000))
    arguments: dict[str, tuple[object, ...]] = {
        "train": (text, *TINY, "--max-steps", 2),
        "watch": (hostile_run.path, "--plain"),
        "runs": (),
        "sample": (hostile_run.path, "--length", 200, "--prime", "\x1b]0;title"),
    }
    _, sent, _ = screen_after(command, *arguments[command], runs=runs, columns=200)
    shown = sent.decode()
    assert raw(shown) <= {"\x1b", "\r", "\a"}
    assert all(part.startswith(("[", "]2;", "]9;", "]777;")) for part in shown.split("\x1b")[1:])
    assert shown.count("\a") == (4 if command == "train" else 0)  # the bell, the title and two notifications
