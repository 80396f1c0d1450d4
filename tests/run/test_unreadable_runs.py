"""Runs that belong to somebody else and may not be read."""

import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from charrnn_tui.cli.main import cli
from charrnn_tui.run.directory import RunDirectory, list_runs, unreadable_runs

NOBODY = 65534


@pytest.fixture
def runs() -> Iterator[Path]:
    """Where others may look: pytest's own directories are private. Holds a run that everybody may read."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    for name in ("open", "closed", "half-open"):
        (directory / name).mkdir()
        (directory / name / "events.jsonl").touch()
    yield directory
    shutil.rmtree(directory)


def as_another_user(ask: Callable[[], str]) -> str:
    """What somebody sees who may not read everything: a child that has loaded all that it needs."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a fork beside threads: the child does nothing but this
        child = os.fork()
    if child == 0:
        if os.getuid() == 0:
            os.setuid(NOBODY)
        os.write(writing, ask().encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        return answer.read()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs permissions")
def test_runs_that_may_not_be_read_are_told_apart_with_their_owner(runs: Path) -> None:
    def ask() -> str:
        return f"{[run.name for run in list_runs(runs)]} {unreadable_runs(runs)}"

    def listed() -> str:
        return CliRunner().invoke(cli, ["runs", "--runs-dir", str(runs)]).output

    owner = runs.owner()
    assert "open" in listed()  # and all that it imports is there
    (runs / "closed").chmod(0)
    (runs / "half-open" / "events.jsonl").chmod(0)
    assert as_another_user(ask) == str(["open"]) + " " + str({"closed": owner, "half-open": owner})
    assert re.search(f"\nclosed +⊘ unreadable: {owner} ", as_another_user(listed))
    (runs / "closed").chmod(0o755)


def test_runs_of_one_s_own_are_all_readable(runs: Path) -> None:
    assert unreadable_runs(runs) == {}
    assert unreadable_runs(runs / "nowhere") == {}
    assert {run.name for run in list_runs(runs)} == {"open", "closed", "half-open"}
    assert RunDirectory(runs / "open").progress().step == 0
