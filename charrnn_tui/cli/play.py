"""`charrnn-tui play`: the playground, full screen or line by line."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import click

from charrnn_tui.cli.configuration import configuration
from charrnn_tui.cli.failures import explain
from charrnn_tui.cli.open import show_app
from charrnn_tui.cli.options import low_bandwidth_option, model_names, runs_option
from charrnn_tui.cli.output import DataStream, is_terminal, may_draw, say, visible_text
from charrnn_tui.playground.controls import configured_settings
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.line_playground import LinePlayground, WrongCommand
from charrnn_tui.playground.models import ModelSource, source_of
from charrnn_tui.playground.playground import Playground
from charrnn_tui.runner.failures import FAILED
from charrnn_tui.runner.find_model import locate_checkpoint
from charrnn_tui.runner.local_backend import LocalBackend

PROMPT = "> "
LENGTH = 200  # characters to a text: some lines, which can be listened to


@click.command("play")
@click.argument("model", metavar="[MODEL]", shell_complete=model_names, required=False)
@click.option(
    "--plain", is_flag=True, help="Lines instead of the full-screen app; also where there is no terminal for it."
)
@low_bandwidth_option
@runs_option
def play_command(model: str | None, plain: bool, low_bandwidth: bool, runs_dir: Path) -> int | None:
    """Play with a model: in the full-screen app, or line by line.

    MODEL is a file, a run, or a shipped model; without it, the model that you left, or your newest one.

    With --plain, each line that you type is a prime, and the model writes what follows it. Lines that begin with a
    colon are commands, such as `:top-k 3` or `:why 12`; `:help` lists them. Nothing is drawn: this is for screen
    readers, simple terminals and scripts. Texts and answers go to standard output, messages to standard error. Ctrl-C
    stops a text; at the prompt it ends the program. If the lines come from a pipe or a file, the first error ends it.
    """
    drawable = is_terminal(sys.stdin) and may_draw(sys.stdout)
    if not plain and drawable:
        return show_app(
            runs_dir, None if model is None else locate_checkpoint(model, runs_dir), low_bandwidth=low_bandwidth
        )
    _play_lines(model, runs_dir)
    return None


def _play_lines(model: str | None, runs: Path) -> None:
    backend, stream = LocalBackend(runs), DataStream()
    defaults = configured_settings(configuration().config.play)
    playground = Playground(backend, lambda: None, Jobs(), defaults=defaults)
    playground.settings = replace(playground.settings, speed=None, length=LENGTH)
    playground.writer.apply(playground.settings)

    def find(name: str) -> ModelSource:
        return source_of(locate_checkpoint(name, runs), backend)

    def write(text: str) -> None:
        stream.write_text(visible_text(text))
        stream.flush()

    lines = LinePlayground(playground, find, write, say)
    typed = is_terminal(sys.stdin)

    def perform(work: Callable[[], None], *, fatal: bool) -> None:
        try:
            with _stopping(lines) if typed else nullcontext():
                work()
        except (ValueError, OSError) as error:
            if fatal:
                raise
            message, _ = explain(error) or (str(error), FAILED)
            say(message)

    try:
        perform(lambda: lines.open(None if model is None else find(model)), fatal=True)
        if typed:
            say("type a beginning and press Enter; :help lists the commands")
        while not lines.ended and (line := _next_line(sys.stdin.buffer, stream if typed else None)) is not None:
            perform(partial(lines.perform, line), fatal=not typed)
    except WrongCommand as error:
        raise click.UsageError(str(error)) from None
    except ValueError as error:
        if explain(error) is not None:
            raise
        raise click.ClickException(str(error)) from None
    finally:
        playground.close()


def _next_line(source: BinaryIO, prompt: DataStream | None) -> str | None:
    """The next line without its end; None at the end of the input. What is not UTF-8 becomes unknown characters."""
    if prompt is not None:
        prompt.write_text(PROMPT)
        prompt.flush()
    line = source.readline()
    if not line and prompt is not None:
        prompt.write_line("")  # the shell's prompt comes on a line of its own
    return line.decode("utf-8", "surrogateescape").rstrip("\r\n") if line else None


@contextmanager
def _stopping(lines: LinePlayground) -> Iterator[None]:
    """While inside, Ctrl-C stops the text that is being written; once more, it ends the program."""

    def stop(number: int, frame: FrameType | None) -> None:
        if not lines.stop():
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
