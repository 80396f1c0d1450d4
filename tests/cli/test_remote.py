"""Commands about runs on another machine; a shell on this one stands for ssh."""

import sys
from pathlib import Path

import pytest

from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import RunFinished, RunStarted
from tests.cli.conftest import Invoke, one_line


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A run on the other machine that has ended."""
    run = RunDirectory(tmp_path / "far runs" / "done")
    run.path.mkdir(parents=True)
    writer = EventWriter(run.events_file)
    writer.append(RunStarted(time=1000.0, run="done", steps=5, epochs=1))
    writer.append(RunFinished(time=1001.0, step=5, state="finished", reason="", train_seconds=1.0))
    writer.close()
    ssh = tmp_path / "ssh"
    variables = f"CHARRNN_TUI_RUNS='{run.path.parent}' PYTHONPATH='{':'.join(sys.path)}'"
    ssh.write_text(f'#!/bin/sh\nshift\nprintf "a warning\\033[2J\\n" >&2\nexec env {variables} sh -c "$1"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("CHARRNN_TUI_SSH", str(ssh))
    monkeypatch.setenv("CHARRNN_TUI_REMOTE", f"'{sys.executable}' -m charrnn_tui")
    return run


def test_runs_of_another_machine_are_listed(invoke: Invoke, far: RunDirectory) -> None:
    result = invoke("runs", "box:")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["run", "done"]
    assert "\x1b" not in result.stderr  # what comes from there is written as everything is
    assert result.stderr.startswith("box: a warning")


def test_a_run_of_another_machine_is_followed_in_lines(invoke: Invoke, far: RunDirectory) -> None:
    events = invoke("watch", "box:done", "--json", "--after", "1000.5")
    assert events.exit_code == 0
    assert [line.split('"')[3] for line in events.stdout.splitlines()] == ["run_finished"]
    missing = invoke("watch", "box:other", "--plain")
    assert missing.exit_code == 1
    assert "no such run" in missing.stderr


def test_what_cannot_be_watched_is_one_line(invoke: Invoke, far: RunDirectory) -> None:
    nameless, plain = invoke("watch", "box:"), invoke("watch", "done", "--every", "2s", "--plain")
    assert "box:RUN names a run there" in one_line(nameless)
    assert "--every, --after and --requests are of --json" in one_line(plain)
    assert (nameless.exit_code, plain.exit_code) == (2, 2)
