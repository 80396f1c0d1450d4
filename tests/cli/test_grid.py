"""`train --grid`, and the table of runs by their settings."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Invoke, one_line


def test_a_grid_is_trained_and_shown_by_its_losses(invoke: Invoke, text_file: Path, runs: Path) -> None:
    words = ["train", *TINY, "--max-steps", "4", "--grid", "lr=1e-3,1e-2", "forget-bias=1", text_file]
    result = invoke(*words, "--json")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    names = ["happy-lr0.001-forget_bias1", "happy-lr0.01-forget_bias1"]
    assert [each["run"] for each in facts] == names
    assert all(f"{name}: started" in result.stderr for name in names)
    again = invoke(*words)
    assert "started" not in again.stderr
    heading, *rows = [line.split() for line in again.stdout.splitlines()]
    assert heading == ["run", "best", "nats/char", "batches", "lr", "state"]
    losses = [float(row[1]) for row in rows]
    assert losses == sorted(losses)
    assert {row[0]: row[3] for row in rows} == dict(zip(names, ("0.001", "0.01"), strict=True))
    only = invoke("runs", "--settings", "*lr0.01*").stdout.splitlines()
    assert [line.split()[0] for line in only] == ["run", names[1]]
    assert "lr" not in only[0].split()  # there is nothing to differ from


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--grid", "rl=0.1"], "there is no setting 'rl'"),
        (["--grid", "n_hiden=8"], "did you mean n_hidden?"),
        (["--grid", "lr="], "expected values, as in lr=1,2,3"),
        (["--grid", "lr=a"], "'a' is not a number"),
        (["--grid", "n_hidden=0"], "--n-hidden: 0 is not a whole number from 1 to 16,384"),
        (["--grid", "lr=0.1", "--lr", "0.2"], "lr is varied by --grid and given, too"),
        (["--grid", "lr=0.1", "--grid", "lr=0.2"], "lr is given twice"),
        (["--grid", "lr=0.1", "--detach"], "--grid and --detach exclude each other"),
        (["--grid", "lr=0.1", "-"], "standard input only once"),
    ],
)
def test_a_grid_that_cannot_be_is_one_line(
    invoke: Invoke, text_file: Path, runs: Path, words: list[str], message: str
) -> None:
    result = invoke("train", text_file, *words)
    assert result.exit_code == 2
    assert message in one_line(result)
    assert not runs.exists()


def test_a_name_without_a_run_is_one_line(invoke: Invoke) -> None:
    result = invoke("runs", "anna-*")
    assert result.exit_code == 1
    assert "anna-*: there is no run of this name" in one_line(result)
