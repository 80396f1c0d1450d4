"""The program in a terminal whose locale has ASCII only: nothing else reaches it."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import TINY
from tests.terminal.pseudo_terminal import PseudoTerminal

pytestmark = [pytest.mark.terminal, pytest.mark.timeout(240)]
PROGRAM = [sys.executable, "-m", "charrnn_tui"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    places = {"CHARRNN_TUI_RUNS": str(tmp_path / "runs"), "OMP_NUM_THREADS": "1"}
    return kept | places | {"TERM": "xterm-256color", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that writes letters that the terminal lacks, too."""
    alphabet = "\n abcé…"
    random = np.random.default_rng(0)
    shapes = tensor_shapes(len(alphabet), n_hidden=16, n_layers=2)
    weights = {name: random.normal(0, 0.8, shape).astype(np.float32) for name, shape in shapes.items()}
    path = tmp_path / "small.safetensors"
    write_checkpoint(path, Checkpoint(weights, Vocabulary(alphabet), n_hidden=16, n_layers=2))
    return path


@pytest.mark.parametrize("utf8_mode", ["0", "1"])
def test_the_app_sends_ascii_only(model: Path, environment: dict[str, str], utf8_mode: str) -> None:
    with PseudoTerminal([*PROGRAM, str(model)], 80, 24, environment | {"PYTHONUTF8": utf8_mode}) as terminal:
        terminal.wait_for(" chars | ")
        terminal.type("g")
        terminal.wait_for("stopped, press g to continue")
        terminal.type("i")
        terminal.wait_for("with the controls")
        terminal.type("c")
        terminal.wait_for(">80%")
        terminal.type("?")
        terminal.wait_for("^ v scroll")
        terminal.type("\x1b")
        terminal.wait_for(lambda screen: "^ v scroll" not in screen)
        terminal.type("1")
        terminal.wait_for("Start  F5")
        terminal.type("\x1b")
        terminal.wait_for(lambda screen: "Leave field" not in screen)
        terminal.type("3")
        terminal.wait_for("No runs yet")
        terminal.type("q")
        assert terminal.wait_for_end() == 0
        assert terminal.received.isascii()


def test_a_training_and_its_chart_are_ascii_only(tmp_path: Path, environment: dict[str, str]) -> None:
    text = tmp_path / "happy.txt"
    text.write_text("The happy families are all alike — every one, café.\n" * 60, encoding="utf-8")
    with PseudoTerminal([*PROGRAM, "train", str(text), *TINY, "--name", "one"], 100, 30, environment) as terminal:
        assert terminal.wait_for_end() == 0
        assert "one" in terminal.text
        assert terminal.received.isascii()
    with PseudoTerminal([*PROGRAM, "watch", "one"], 100, 30, environment) as terminal:
        terminal.wait_for(lambda screen: "+ finished" in screen and "loss" in screen)
        terminal.type("q")
        assert terminal.wait_for_end() == 0
        assert terminal.received.isascii()
    with PseudoTerminal([*PROGRAM, "runs"], 100, 30, environment) as terminal:
        assert terminal.wait_for_end() == 0
        assert "+ finished" in terminal.text
        assert terminal.received.isascii()


def test_commands_print_ascii_only(model: Path, environment: dict[str, str]) -> None:
    sample = ["sample", str(model), "--prime", "a", "--length", "300", "--seed", "1"]
    for command in (["--help"], ["info", str(model)], sample, [*sample, "--json"], ["config", "show"], ["sample", "…"]):
        with PseudoTerminal([*PROGRAM, *command], 80, 24, environment) as terminal:
            terminal.wait_for_end()
            assert terminal.text.strip()
            assert terminal.received.isascii(), command


def test_the_app_in_utf8_draws_ascii_when_asked_to(model: Path, environment: dict[str, str]) -> None:
    utf8 = environment | {"LC_ALL": "C.UTF-8", "CHARRNN_TUI_ASCII": "1"}
    with PseudoTerminal([*PROGRAM, str(model)], 80, 24, utf8) as terminal:
        terminal.wait_for(lambda screen: " chars | " in screen and "é" in screen)
        terminal.type("q")
        assert terminal.wait_for_end() == 0
        assert {char for char in terminal.received.decode() if not char.isascii()} <= {"é", "…"}
