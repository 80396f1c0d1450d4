"""The playground in a real terminal, with a small model."""

import base64
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.text.vocabulary import Vocabulary
from tests.terminal.pseudo_terminal import PseudoTerminal

pytestmark = [pytest.mark.terminal, pytest.mark.timeout(240)]
PROGRAM = [sys.executable, "-m", "charrnn_tui"]
ALPHABET = "\n abcdefgh"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    shapes = tensor_shapes(len(ALPHABET), n_hidden=16, n_layers=2)
    weights = {name: random.normal(0, 0.8, shape).astype(np.float32) for name, shape in shapes.items()}
    path = tmp_path / "small.safetensors"
    write_checkpoint(path, Checkpoint(weights, Vocabulary(ALPHABET), n_hidden=16, n_layers=2))
    return path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    return kept | {"TERM": "xterm-256color", "CHARRNN_TUI_RUNS": str(tmp_path / "runs"), "OMP_NUM_THREADS": "1"}


@pytest.fixture(params=[(80, 24), (140, 40)], ids=["80x24", "140x40"])
def playground(request: pytest.FixtureRequest, model: Path, environment: dict[str, str]) -> Iterator[PseudoTerminal]:
    """The playground, stopped after some characters."""
    with PseudoTerminal([*PROGRAM, str(model)], *request.param, environment) as terminal:
        terminal.wait_for(lambda screen: _count(screen) > 41)  # the 39th and the 41st look the same to the inspector
        terminal.type("g")
        terminal.wait_for("stopped, press g to continue")
        yield terminal


def _count(screen: str) -> int:
    """How many characters the status line counts."""
    match = re.search(r"([\d,]+) chars · ", screen)
    return int(match[1].replace(",", "")) if match else 0


def test_the_inspector_shows_both_distributions_and_forks(playground: PseudoTerminal) -> None:
    playground.type("i")
    before = playground.wait_for("with the controls")
    assert re.search(r"rank \d+ of 10 · \d\.\d\d nats \(\d\.\d\d bits\)", before)
    assert re.search(r"entropy \d\.\d\d → \d\.\d\d nats · kept 5", before)
    playground.type("\x1b[D", "\x1b[D")
    playground.wait_for(lambda screen: _head(screen) != _head(before))
    count = _count(playground.text)
    playground.type("\r", "/")
    playground.wait_for("type a symbol")
    playground.type("h", "\r")  # whatever stood there, h stands there now
    playground.wait_for(lambda screen: _head(screen).startswith("h rank"))
    playground.wait_for(lambda screen: _count(screen) > count + 5)


def _head(screen: str) -> str:
    match = re.search(r"(. rank \d+ of \d+ · .*bits)", screen)
    return match[1] if match else ""


def test_branches_are_listed_and_undone(playground: PseudoTerminal) -> None:
    first = _count(playground.text)
    playground.type("r")
    playground.wait_for(lambda screen: _count(screen) > first + 10)
    playground.type("g", "t")
    playground.wait_for(
        lambda screen: re.search(r"● +seed \d+ · [\d,]+ chars", screen) is not None and "start · " in screen
    )
    playground.type("\x1b")
    playground.wait_for(lambda screen: "Enter opens" not in screen)
    playground.type("u")
    playground.wait_for(lambda screen: _count(screen) == first)
    playground.type("U", "[")
    playground.wait_for(lambda screen: _count(screen) == first)


def test_colours_step_through_five_modes_while_it_writes(playground: PseudoTerminal) -> None:
    playground.type("g")
    for name in ("probability", "of the best", "surprise", "entropy"):
        playground.type("c")
        playground.wait_for(lambda screen, name=name: re.search(rf"{name} +(≥80%|best|<\.5)", screen) is not None)
    written = _count(playground.text)
    playground.wait_for(lambda screen: _count(screen) > written and "/char · ppl" in screen)
    playground.type("c")
    playground.wait_for(lambda screen: "/char · ppl" not in screen)


def test_replay_rewrites_the_page_at_once_and_as_long_as_it_was(playground: PseudoTerminal) -> None:
    before = playground.text
    count = _count(before)
    playground.type("a", "\x1b[B", "\x1b[C", "\x1b[C")
    playground.wait_for(lambda screen: "0.90" in screen and _text(screen) != _text(before) and _count(screen) == count)
    playground.type("\x1b[D", "\x1b[D")  # the same controls and seed write the same text
    playground.wait_for(lambda screen: _text(screen) == _text(before))


def _text(screen: str) -> list[str]:
    """The rows between the prime and the status line, cut before the panel of a wide terminal."""
    rows = screen.splitlines()
    first = next(number for number, row in enumerate(rows) if "prime ▸" in row) + 1
    last = next(number for number, row in enumerate(rows) if " chars · " in row)
    return [row[:70].rstrip() for row in rows[first:last]]


def test_an_edited_line_is_a_branch_and_undo_goes_back(playground: PseudoTerminal) -> None:
    before = playground.text
    playground.type("e")
    playground.wait_for("the model goes on behind this")
    playground.type("h", "e", "a", "d", "\r")
    playground.wait_for(lambda screen: "the model goes on" not in screen and _count(screen) > _count(before) + 10)
    playground.type("g", "u")
    playground.wait_for(lambda screen: _text(screen) == _text(before))


def test_the_copied_command_writes_the_text_again(playground: PseudoTerminal, environment: dict[str, str]) -> None:
    runs = Path(environment["CHARRNN_TUI_RUNS"])
    playground.type("\x1b[C", "g")
    written = _count(playground.text)
    playground.wait_for(lambda screen: _count(screen) > written + 20)
    playground.type("g", "y", "Y")
    playground.wait_for(lambda _: (runs / "recipes" / "command.txt").exists())
    command = shlex.split((runs / "recipes" / "command.txt").read_text())
    assert command[:3] == ["charrnn-tui", "sample", "--recipe"]
    again = subprocess.run([*PROGRAM, *command[1:]], env=environment, capture_output=True, text=True, check=True)
    assert again.stdout == (runs / "copied.txt").read_text()
    sent = f"]52;c;{base64.b64encode(' '.join(command).encode()).decode()}".encode()
    playground.wait_for(lambda _: sent in playground.received)


def test_the_text_is_written_as_json_and_as_a_picture(playground: PseudoTerminal, tmp_path: Path) -> None:
    for name in ("seen.svg", "told.json"):
        playground.type("w")
        playground.wait_for("write to a file")
        playground.type(*str(tmp_path / name), "\r")  # the proposed name is selected
        playground.wait_for(lambda screen: "write to a file" not in screen)
    assert (tmp_path / "seen.svg").read_text().startswith("<svg")
    told = json.loads((tmp_path / "told.json").read_text())
    assert len(told["characters"]) == told["chars"] == _count(playground.text)


def test_what_was_done_is_there_again_after_leaving(playground: PseudoTerminal, environment: dict[str, str]) -> None:
    playground.type("r")
    playground.wait_for(lambda screen: "writing · " in screen and _count(screen) > 20)
    playground.type("g")
    text = _text(playground.wait_for("stopped, press g to continue"))
    playground.type("q")
    assert playground.wait_for_end() == 0
    end = next(row.strip() for row in reversed(text) if row.strip())[-20:]
    with PseudoTerminal(PROGRAM, 80, 24, environment) as again:
        again.wait_for(lambda screen: "stopped, press g to continue" in screen and end in screen)
        again.type("t")
        again.wait_for(lambda screen: re.search(r"● +seed \d+ · ", screen) is not None and "start · " in screen)
