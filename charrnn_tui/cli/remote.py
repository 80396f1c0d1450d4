"""Commands about runs on another machine, named `host:RUN`: they run there, through ssh, and are shown here."""

import subprocess
import threading
from pathlib import Path

import click

from charrnn_tui.cli.open import show_app
from charrnn_tui.cli.output import DataStream, say
from charrnn_tui.runner.failures import DONE, FAILED
from charrnn_tui.runner.remote_run import RemoteRun, there
from charrnn_tui.tui.opening import Opening


def run_there(host: str, *words: str, reads_input: bool = False) -> int:
    """Run `charrnn-tui WORDS` on the host; its lines are written here, with control characters made visible."""
    command, stream = there(host, *words), DataStream()
    given = None if reads_input else subprocess.DEVNULL
    try:
        process = subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise click.ClickException(f"{command[0]}: {error.strerror or error}") from None
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        messages = threading.Thread(target=_say_all, args=(host, process.stderr), daemon=True)
        messages.start()
        for line in process.stdout:
            stream.write_line(line.decode("utf-8", "replace").rstrip("\n"))
        messages.join()
    return DONE if process.returncode == DONE else FAILED


def _say_all(host: str, messages: object) -> None:
    for line in messages:  # type: ignore[attr-defined]  # a pipe
        say(f"{host}: {line.decode('utf-8', 'replace').rstrip()}")


def watch_there(host: str, run: str, runs_dir: Path, *, read_only: bool, low_bandwidth: bool) -> int:
    """Follow the run in the app. Raises RunError if there is no connection."""
    import platformdirs  # not needed by `--help`

    remote = RemoteRun(host, run, platformdirs.user_cache_path("charrnn-tui") / "remote")
    say(f"connecting to {host}")
    remote.open()
    try:
        return show_app(runs_dir, Opening(run=remote.directory, read_only=read_only), low_bandwidth=low_bandwidth)
    finally:
        remote.close()
