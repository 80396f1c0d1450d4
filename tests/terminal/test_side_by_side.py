"""Two texts side by side in a real terminal, and a training to slide through."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from tests.terminal.pseudo_terminal import PseudoTerminal

pytestmark = [pytest.mark.terminal, pytest.mark.timeout(240)]
PROGRAM = [sys.executable, "-m", "charrnn_tui"]
SMALL = ("--n-hidden", "16", "--n-layers", "1", "--batch-size", "8", "--seq-length", "20", "--lr", "0.01")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With a run that was trained on a small text."""
    home = tmp_path_factory.mktemp("home")
    (home / "shells.txt").write_text("She sells sea shells by the sea shore.\n" * 150)
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    kept |= {"TERM": "xterm-256color", "CHARRNN_TUI_RUNS": str(home / "runs"), "OMP_NUM_THREADS": "1"}
    train = [*PROGRAM, "train", str(home / "shells.txt"), *SMALL, "--epochs", "3", "--name", "shells"]
    subprocess.run(train, env=kept, capture_output=True, check=True)
    return kept


@pytest.fixture(params=[(80, 24), (140, 40)], ids=["80x24", "140x40"])
def comparison(request: pytest.FixtureRequest, environment: dict[str, str]) -> Iterator[PseudoTerminal]:
    """Opened from the playground."""
    with PseudoTerminal(PROGRAM, *request.param, environment) as terminal:
        terminal.wait_for("shells · best")
        terminal.wait_for(" chars · ")
        terminal.type("|")
        terminal.wait_for("same text, 1,000 chars")
        yield terminal


def test_two_settings_and_two_moments_of_a_training_stand_side_by_side(
    comparison: PseudoTerminal, environment: dict[str, str]
) -> None:
    comparison.type("\x1b[B", *["\x1b[C"] * 6)
    screen = comparison.wait_for("temperature 1.10")
    assert "temperature 0.80" in screen
    screen = comparison.wait_for(lambda screen: "part at character" in screen)
    assert re.search(r"part at character \d+: . \| . \(\d+ in common\)", screen)
    comparison.type("\x7f")  # the default again
    comparison.wait_for("same text, 1,000 chars")

    steps = [kept.step for kept in kept_checkpoints(Path(environment["CHARRNN_TUI_RUNS"]) / "shells")]
    comparison.type("<")
    comparison.wait_for("untrained ●")
    comparison.wait_for("part at character")
    for step in steps[1:4]:
        comparison.type(".")
        comparison.wait_for(lambda screen, step=step: f"▸B shells · step {step} " in screen)
    comparison.type(">", "\t", "<")
    comparison.wait_for(lambda screen: "▸A shells · step 0 " in screen and f" B shells · step {steps[-1]} " in screen)
    comparison.type("x")
    comparison.wait_for(lambda screen: f"▸A shells · step {steps[-1]} " in screen and " B shells · step 0 " in screen)

    comparison.type("m")
    comparison.wait_for("Enter opens")
    comparison.type("\x1b")
    comparison.wait_for(lambda screen: "Enter opens" not in screen)
    comparison.type("p")
    comparison.wait_for("prime ▸")
    comparison.type(*"sea", "\r")
    comparison.wait_for(lambda screen: screen.count("sea") >= 2 and "prime ▸" not in screen)
    comparison.type("\x1b")
    comparison.wait_for("shells · best 1×16")
    comparison.type("q")
    assert comparison.wait_for_end() == 0
