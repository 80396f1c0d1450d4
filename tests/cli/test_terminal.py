"""The headless commands on a real terminal, read as a screen."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from contextlib import nullcontext
from pathlib import Path

import pyte
import pytest

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import RunStarted
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import TINY, random_checkpoint
from tests.cli.program import PROGRAM, environment

pytestmark = pytest.mark.terminal


def screen_after(
    *arguments: object, runs: Path, columns: int = 80, term: str = "xterm-256color", output: Path | None = None
) -> tuple[int, bytes, list[str]]:
    """(exit code, what was sent, the rows of the screen) of a command that ends by itself.

    output: the file that standard output goes to, in place of the terminal.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    variables = environment(runs, TERM=term)
    for name in ("COLUMNS", "LINES"):  # these would win over the terminal's own size
        variables.pop(name, None)
    with (
        nullcontext(theirs) if output is None else output.open("wb") as stdout,
        subprocess.Popen(
            [*PROGRAM, *map(str, arguments)], stdin=theirs, stdout=stdout, stderr=theirs, env=variables
        ) as process,
    ):
        os.close(theirs)
        sent = b""
        try:
            while data := os.read(ours, 65536):
                sent += data
        except OSError:  # Linux says so when the other side has closed
            pass
        os.close(ours)
    screen = pyte.Screen(columns, 40)
    pyte.ByteStream(screen).feed(sent)
    assert not screen.cursor.hidden
    return process.returncode, sent, [row.rstrip() for row in screen.display if row.strip()]


def test_a_training_draws_a_bar_and_leaves_its_result(runs: Path, text_file: Path) -> None:
    code, sent, rows = screen_after("train", text_file, *TINY, "--print-every", 10, runs=runs)
    assert code == 0
    bar = next(row for row in rows if "━" in row)
    assert bar.startswith("happy-1 ━")
    assert "100 % · loss " in bar
    assert ", val " in bar
    assert any(row.startswith("best val loss ") and "at 4 × 10" in row for row in rows)
    assert sent.count(b"\x1b]9;happy-1: finished at step 45") == 1
    assert sent.count(b"\x1b]777;notify;happy-1;finished at step 45") == 1
    assert sent.count(b"\x1b]2;happy-1: finished at step 45") == 1
    assert any(row.startswith("write with it: charrnn-tui sample happy-1") for row in rows)


def test_a_dumb_terminal_gets_lines_and_no_escape_sequences(runs: Path, text_file: Path) -> None:
    code, sent, rows = screen_after("train", text_file, *TINY, "--print-every", 10, runs=runs, term="dumb")
    assert code == 0
    assert b"\x1b" not in sent
    assert not any("━" in row for row in rows)
    assert any(row.startswith("write with it: charrnn-tui sample happy-1") for row in rows)
    code, sent, rows = screen_after("watch", "happy-1", runs=runs, term="dumb")
    assert code == 0
    assert b"\x1b" not in sent


def test_a_text_s_name_does_not_steer_the_terminal(runs: Path, text_file: Path) -> None:
    text = text_file.rename(text_file.with_name("\x1b]0;title\x07.txt"))
    code, sent, rows = screen_after("train", text, *TINY, "--max-steps", 2, "--name", "plain", runs=runs)
    assert code == 0
    assert b"\x1b]0;" not in sent
    assert any("on ␛]0;title␇" in row for row in rows)


def test_generated_escape_sequences_do_not_reach_the_terminal(runs: Path, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "log.safetensors", random_checkpoint(Vocabulary("\x1b[2J\x9b\x07")))
    code, sent, rows = screen_after("sample", tmp_path / "log.safetensors", "--seed", 1, "--length", 200, runs=runs)
    assert code == 0
    assert b"\x1b" not in sent
    assert b"\x07" not in sent
    assert rows[0] == "seed 1"
    assert "␛" in "".join(rows)


@pytest.mark.parametrize("options", [(), ("--json",), ("--count", 3)])
def test_writing_into_a_file_shows_on_the_terminal_how_far_it_is(
    runs: Path, tmp_path: Path, options: tuple[object, ...]
) -> None:
    write_checkpoint(tmp_path / "abc.safetensors", random_checkpoint(Vocabulary("abc\n")))
    command = ("sample", tmp_path / "abc.safetensors", "--seed", 1, "--length", 200, *options)
    code, sent, rows = screen_after(*command, runs=runs, output=tmp_path / "written")
    assert code == 0
    assert rows == [f"writing  [{'#' * 36}]  100%"]
    assert sent.count(b"writing") > 3
    assert len((tmp_path / "written").read_bytes()) >= 200


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (120, "run state step epoch val nats/char best nats/char batches kept size last event"),
        (100, "run state step best nats/char batches size last event"),
        (80, "run state step best nats/char batches size"),
        (50, "run state best nats/char batches"),
        (30, "run state"),
    ],
)
def test_the_list_of_runs_fits_the_terminal_and_keeps_names_whole(runs: Path, columns: int, headings: str) -> None:
    name = "a-name-of-some-length-7"
    writer = EventWriter(RunDirectory.create(runs, "happy", name).events_file)
    writer.append(RunStarted(time=1.0, epochs=20, steps=330_000))
    writer.close()
    code, _, rows = screen_after("runs", runs=runs, columns=columns)
    assert code == 0
    assert rows[0].split() == headings.split()
    assert "".join(row.split()[0] for row in rows[1:]) == name
