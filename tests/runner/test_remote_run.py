"""A run on another machine; a shell on this one stands for ssh."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint, write_checkpoint
from charrnn_tui.run.control import Pause, ScaleLearningRate
from charrnn_tui.run.directory import EventWriter, RunDirectory, RunError
from charrnn_tui.run.events import RunFinished, RunStarted, StepDone
from charrnn_tui.run.mailbox import Mailbox, leave_request
from charrnn_tui.runner.local_backend import LocalBackend
from charrnn_tui.runner.remote_run import RemoteRun, remote_name, there
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import random_checkpoint

PATIENCE_SECONDS = 60.0


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def step_done(step: int) -> StepDone:
    figures = {"loss": 2.0, "grad_norm": 1.0, "lr": 0.01, "seconds": 1.0, "chars_per_second": 100.0}
    return StepDone(time=1000.0 + step, step=step, epoch=1, train_seconds=float(step), **figures)


class Far:
    """The other machine: a directory of runs with one in training, and a command in place of ssh that notes its pid."""

    def __init__(self, path: Path) -> None:
        self.runs, self.pids, self.ssh = path / "far runs", path / "pids", path / "ssh"
        self.run = RunDirectory(self.runs / "long")
        self.run.path.mkdir(parents=True)
        self.writer, self.lock = EventWriter(self.run.events_file), self.run.lock()
        self.writer.append(RunStarted(time=1000.0, run="long", steps=100, epochs=1, host="far"))
        variables = f"CHARRNN_TUI_RUNS='{self.runs}' PYTHONPATH='{':'.join(sys.path)}'"
        self.ssh.write_text(f'#!/bin/sh\necho $$ >> "{self.pids}"\nshift\nexec env {variables} sh -c "exec $1"\n')
        self.ssh.chmod(0o755)

    def lose_the_connection(self) -> None:
        """Kill the command; a shell in its place would leave it."""
        os.kill(int(self.pids.read_text().split()[-1]), signal.SIGKILL)


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    found = Far(tmp_path)
    monkeypatch.setenv("CHARRNN_TUI_SSH", str(found.ssh))
    monkeypatch.setenv("CHARRNN_TUI_REMOTE", f"'{sys.executable}' -m charrnn_tui")
    yield found
    found.writer.close()
    found.lock.release()


def test_what_names_a_run_on_another_machine(tmp_path: Path) -> None:
    assert remote_name("me@box:anna-3", tmp_path) == ("me@box", "anna-3")
    assert remote_name("box:", tmp_path) == ("box", "")
    for here in ("anna-3", "C:runs", "./odd:name", "-o:run"):
        assert remote_name(here, tmp_path) is None
    (tmp_path / "box:run").mkdir()
    assert remote_name(str(tmp_path / "box:run"), tmp_path) is None


def test_the_users_own_ssh_runs_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHARRNN_TUI_SSH", raising=False)
    monkeypatch.setenv("CHARRNN_TUI_REMOTE", "~/venv/bin/charrnn-tui")
    assert there("box", "watch", "my run") == ["ssh", "box", "~/venv/bin/charrnn-tui watch 'my run'"]


def test_events_come_and_requests_go(far: Far, tmp_path: Path) -> None:
    for step in range(1, 4):
        far.writer.append(step_done(10 * step))
    remote = RemoteRun("box", "long", tmp_path / "copies")
    remote.open()
    copy = remote.directory
    try:
        wait_until(lambda: copy.progress().step == 30)
        assert copy.progress().state == "training"
        far.writer.append(step_done(40))
        far.writer.append(step_done(41))  # a second later: a line that nobody needs
        far.writer.append(step_done(42))
        wait_until(lambda: copy.progress().step == 42)
        lines = [json.loads(line) for line in copy.events_file.read_text().splitlines()]
        assert [line["step"] for line in lines] == [0, 10, 20, 30, 40, 42]
        mailbox, found = Mailbox(far.run.path, poll_seconds=0), []
        leave_request(copy.path, Pause())
        leave_request(copy.path, ScaleLearningRate(factor=0.5))
        wait_until(lambda: bool(found.extend(mailbox.take())) or len(found) == 2)
        assert found == [Pause(), ScaleLearningRate(factor=0.5)]
        far.writer.append(RunFinished(time=1100.0, step=42, state="stopped", reason="asked to", train_seconds=9.0))
        wait_until(lambda: copy.progress().state == "stopped")
    finally:
        remote.close()


def test_a_lost_connection_is_said_and_made_again(far: Far, tmp_path: Path) -> None:
    far.writer.append(step_done(10))
    remote = RemoteRun("box", "long", tmp_path / "copies", retry_seconds=0.1)
    remote.open()
    copy = remote.directory
    try:
        wait_until(lambda: copy.progress().step == 10)
        far.lose_the_connection()
        wait_until(lambda: bool(copy.progress().alarms))
        assert copy.progress().alarms[0].message == "the connection to box is lost; trying again every 0.1 s"
        assert copy.progress().state == "training"
        far.writer.append(step_done(20))
        wait_until(lambda: copy.progress().step == 20)
        steps = [json.loads(line)["step"] for line in copy.events_file.read_text().splitlines()]
        assert steps.count(10) == 2  # the step and the alarm: the history is not sent again
        far.lock.release()  # the trainer there is killed
        wait_until(lambda: copy.progress().state == "interrupted")
    finally:
        remote.close()


def test_the_best_model_is_fetched_when_it_is_opened(far: Far, tmp_path: Path) -> None:
    model = random_checkpoint(Vocabulary(list("abc")), n_hidden=4)
    far.writer.append(step_done(10))
    remote = RemoteRun("box", "long", tmp_path / "copies")
    remote.open()
    try:
        file, backend = remote.directory.checkpoint_file(), LocalBackend(tmp_path / "runs")
        assert file == remote.directory.best_file
        with pytest.raises(RunError, match="box: long: has saved no checkpoint yet"):
            backend.open_checkpoint(file)
        write_checkpoint(far.run.best_file, model)
        assert backend.open_checkpoint(file).vocabulary == model.vocabulary
        assert read_checkpoint(file).n_hidden == 4
    finally:
        remote.close()


def test_without_a_connection_it_is_one_line(far: Far, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^box: other: no such run in .*; there are long$"):
        RemoteRun("box", "other", tmp_path / "copies").open()
    far.ssh.write_text("#!/bin/sh\necho 'ssh: Could not resolve hostname box' >&2\nexit 255\n")
    with pytest.raises(RunError, match=r"^box: ssh: Could not resolve hostname box$"):
        RemoteRun("box", "long", tmp_path / "copies").open()
    far.ssh.unlink()
    with pytest.raises(RunError, match=r"^box: .*ssh: No such file or directory$"):
        RemoteRun("box", "long", tmp_path / "copies").open()
