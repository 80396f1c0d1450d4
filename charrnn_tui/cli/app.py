"""Running the app in a terminal: its signals, its log, and what follows its end."""

import gc
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType

from charrnn_tui.cli.config import check_for_app
from charrnn_tui.cli.configuration import broken, configuration
from charrnn_tui.cli.output import TERMINAL, point_at_nothing, say
from charrnn_tui.cli.stop_signals import on_hangup
from charrnn_tui.cli.training_report import come_back_lines, command_line
from charrnn_tui.run.config import Config
from charrnn_tui.run.config_file import ConfigError, store_theme
from charrnn_tui.runner.find_model import checkpoint_format, default_model
from charrnn_tui.runner.local_backend import LocalBackend
from charrnn_tui.tui.app import StudioApp
from charrnn_tui.tui.opening import Opening

# New objects between two garbage collections, and how many of one generation there are for one of the next: at Python's
# (700, 10, 10) half of the screens that are opened wait for a collection of all objects, 10 to 40 ms.
COLLECTIONS = (2_000, 5, 30)
SWITCH_SECONDS = 0.00005  # after which a thread passes on Python's lock; keys stall at its default of 5 ms


def open_app(runs: Path, first: Opening | Path | None, *, low_bandwidth: bool = False) -> int:
    """Run the app until the user quits; returns the exit code. Raises CheckpointError. first: as for `show_app`.

    Closing the terminal ends the screen, not the training: the process continues without one until the run is done.
    """
    loaded = configuration()
    try:
        keymap = check_for_app(loaded)
    except ConfigError as error:
        raise broken(error) from None
    runs.mkdir(parents=True, exist_ok=True)
    backend, config = LocalBackend(runs), replace(loaded.config, ascii=TERMINAL.ascii)
    thin = low_bandwidth or draws_runs_less_often(config, os.environ)
    opening = replace(_opening(backend, first), low_bandwidth=thin)
    app = StudioApp(
        backend,
        opening,
        config,
        keymap=keymap,
        encoding=TERMINAL.encoding,
        store_theme=partial(store_theme, loaded.file.path),
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*COLLECTIONS)
    with _log_for_stray_output(runs / "log.txt"), _signals(app) as hung_up:
        app.run()
        active = app.active_run
        if active is not None:
            if not hung_up:
                active.stop("interrupted", "the app ended")
            active.join()
    if active is not None and active.directory.progress().state in ("interrupted", "stopped"):
        say(f"resume with: {command_line('train --resume', active.directory, runs)}")
    if (left := app.return_value) is not None:
        say(*come_back_lines(left, runs, left.trainer()))
    return 128 + hung_up[-1] if len(hung_up) > 1 else app.return_code or 0


def draws_runs_less_often(config: Config, environment: Mapping[str, str]) -> bool:
    """Whether runs are drawn less often if no option asks for it."""
    over_ssh = bool(environment.get("SSH_CONNECTION"))
    return over_ssh if config.low_bandwidth == "auto" else config.low_bandwidth


def _opening(backend: LocalBackend, first: Opening | Path | None) -> Opening:
    if isinstance(first, Opening):
        return first
    if first is not None:
        return Opening(checkpoint=first) if checkpoint_format(first) else Opening(text=str(first))
    checkpoint, session = default_model(backend.runs_directory)
    return Opening(checkpoint=checkpoint, session=session)


@contextmanager
def _signals(app: StudioApp) -> Iterator[list[int]]:
    """SIGTERM and SIGINT save and quit; SIGHUP leaves the screen and lets the training go on.

    Textual has no handlers of its own: without these the terminal would stay in the alternate screen. Yields a list of
    signals: SIGHUP once it has come, then the one that has stopped the training after it.
    """
    hung_up: list[int] = []

    def quit_saving(number: int, frame: FrameType | None) -> None:
        app.ending = True  # otherwise the keys that wait would be handled first
        reason = f"ended by {signal.Signals(number).name}"
        if hung_up and app.active_run is not None:  # the app has ended and cannot pass it on
            app.active_run.stop("interrupted", reason)
            hung_up.append(number)
        else:
            app.call_later(app.quit_saving, 128 + number, "interrupted", reason)

    def leave(number: int, frame: FrameType | None) -> None:
        hung_up.append(number)
        point_at_nothing([stream.fileno() for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__) if stream])
        active = app.active_run
        if active is not None and on_hangup(active.directory) == "continue":
            active.detach()
        elif active is not None:
            active.stop("interrupted", "the terminal was closed")
        app.call_later(app.exit)

    handlers = {signal.SIGTERM: quit_saving, signal.SIGINT: quit_saving}
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = leave
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield hung_up
    finally:
        if not hung_up:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _log_for_stray_output(path: Path) -> Iterator[None]:
    """Give Textual a private copy of the terminal, and send what others write to fds 1 and 2 into a log.

    A C library's message in the middle of a frame would tear the screen.
    """
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    saved = os.dup(1), os.dup(2)
    originals = sys.__stdout__, sys.__stderr__
    terminal = open(os.dup(1), "w", encoding=TERMINAL.encoding, errors="replace", buffering=1)  # noqa: SIM115 - closed below
    sys.__stdout__ = sys.__stderr__ = terminal  # type: ignore[misc]  # where Textual's driver looks for the terminal
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        yield
    finally:
        for number, descriptor in enumerate(saved, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        sys.__stdout__, sys.__stderr__ = originals  # type: ignore[misc]
        terminal.close()
        os.close(log)
