"""A run on another machine through the real ssh and sshd, where these are installed: this machine is the other one."""

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from charrnn_tui.run.control import Pause
from charrnn_tui.run.mailbox import Mailbox, leave_request
from charrnn_tui.runner.remote_run import RemoteRun
from tests.runner.test_remote_run import Far, step_done, wait_until

SSHD = shutil.which("sshd", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
# Started by root, it wants a directory that only its service makes.
STARTS = SSHD and shutil.which("ssh-keygen") and (os.geteuid() or Path("/run/sshd").is_dir())
pytestmark = pytest.mark.skipif(not STARTS, reason="needs an OpenSSH server")


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    far = Far(tmp_path)
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": tmp_path / "host",
        "AuthorizedKeysFile": tmp_path / "user.pub",
        "PidFile": tmp_path / "sshd.pid",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
    }
    (tmp_path / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    assert SSHD is not None
    (tmp_path / "sshd.log").touch()
    server = subprocess.Popen([SSHD, "-D", "-f", tmp_path / "sshd_config", "-E", tmp_path / "sshd.log"])
    ssh = f"ssh -p {port} -i {shlex.quote(str(tmp_path / 'user'))} -F none -o BatchMode=yes -o StrictHostKeyChecking=no"
    monkeypatch.setenv("CHARRNN_TUI_SSH", f"{ssh} -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR")
    variables = f"CHARRNN_TUI_RUNS={shlex.quote(str(far.runs))} PYTHONPATH={shlex.quote(':'.join(sys.path))}"
    monkeypatch.setenv("CHARRNN_TUI_REMOTE", f"env {variables} {shlex.quote(sys.executable)} -m charrnn_tui")
    try:
        wait_until(lambda: "listening" in (tmp_path / "sshd.log").read_text() or server.poll() is not None)
        assert server.poll() is None, (tmp_path / "sshd.log").read_text()
        yield far
    finally:
        server.kill()
        server.wait()
        far.writer.close()
        far.lock.release()


def test_a_run_is_followed_paused_and_found_again(far: Far, tmp_path: Path) -> None:
    far.writer.append(step_done(10))
    remote = RemoteRun(f"{getpass.getuser()}@127.0.0.1", "long", tmp_path / "copies", retry_seconds=0.1)
    remote.open()
    copy = remote.directory
    try:
        wait_until(lambda: copy.progress().step == 10)
        mailbox, found = Mailbox(far.run.path, poll_seconds=0), []
        leave_request(copy.path, Pause())
        wait_until(lambda: bool(found.extend(mailbox.take())) or bool(found))
        assert found == [Pause()]
        assert remote._process is not None
        remote._process.kill()  # the connection
        wait_until(lambda: bool(copy.progress().alarms))
        far.writer.append(step_done(20))
        wait_until(lambda: copy.progress().step == 20)
    finally:
        remote.close()
