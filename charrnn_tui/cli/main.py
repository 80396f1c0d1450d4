"""The command line. Nothing heavy is imported here, so that `--help` answers at once."""

import difflib
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import click

from charrnn_tui import __version__
from charrnn_tui.cli.options import ASCII_OPTION, PROGRAM, names, runs_option
from charrnn_tui.cli.output import TERMINAL, discard, is_terminal, say
from charrnn_tui.native.thread_waiting import limit_spinning, use_one_blas_thread

COMMANDS = {  # name: help; the command is NAME_command in the module of that name
    "play": "Play with a model, full screen or line by line.",
    "train": "Train a model on a text, without the app.",
    "sample": "Write text with a model to standard output.",
    "score": "Compute how well a model predicts a text.",
    "units": "Find units of a model that follow quotations, words and the like.",
    "memory": "Show how many characters back a model remembers.",
    "text": "Describe a text before a model is trained on it.",
    "copied": "Show how much of what a model writes is copied from its training text.",
    "surprise": "Show where a text surprises a model.",
    "learned": "Show what a model has learned when, by kind of character.",
    "gates": "Show how often the gates of each layer are open or closed.",
    "watch": "Follow a run, whichever process trains it.",
    "runs": "List runs and their state.",
    "info": "Describe a checkpoint or a run.",
    "export": "Write a model or the losses of a run for other programs.",
    "rm": "Delete runs.",
    "doctor": "Show versions, devices, terminal, directories and speed.",
    "config": "Show, check or begin the settings file.",
    "completion": "Print what makes the shell complete commands and names.",
}

EPILOG = f"""\b
To open a file that has the name of a command, write ./ before it:
{PROGRAM} ./train
A RUN is the name or the directory of a run. Where a checkpoint is expected,
a run means its best one.

\b
Results go to standard output, messages to standard error. Exit codes:
  0    done (also if the reader of standard output has left)
  1    failed: a file is missing, unreadable, empty, too short or not what it
       should be; a training failed
  2    wrong usage: an option, its value, a character the model does not know,
       no terminal for the app
  130  interrupted (Ctrl-C)
  143  terminated (SIGTERM)

\b
Environment; an option wins over a variable, a variable over config.toml:
  CHARRNN_TUI_RUNS     where runs are kept (--runs-dir)
  CHARRNN_TUI_CONFIG   the settings file; see config --help
  CHARRNN_TUI_THEME    the colours of the app (theme in config.toml)
  CHARRNN_TUI_ASCII    1: draw with ASCII only (--ascii), 0: with all signs
  CHARRNN_TUI_COMPILE  0: use no compiled code
  CHARRNN_TUI_SSH      how host:RUN is reached (ssh)
  CHARRNN_TUI_REMOTE   this program there (charrnn-tui)
  CC                   the C compiler, with its options
  LC_ALL, LC_CTYPE, LANG, TERM
                       what the terminal can show: see --ascii
  NO_COLOR             if it is set: no colours
  SSH_CONNECTION       set by SSH: as --low-bandwidth
  TEXTUAL_FPS          frames per second of the app (frames_per_second)
"""


class ReaderGone(Exception):
    """Standard output has no reader any more. Click would end with 1 on a BrokenPipeError."""


class Studio(click.Group):
    """Imports a command when it is called; a first word that is no command is a PATH for the app."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in (*COMMANDS, "open"):  # open: stands for a PATH
            return None
        module = importlib.import_module(f"charrnn_tui.cli.{cmd_name}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        parts = command.commands.values() if isinstance(command, click.Group) else ()
        for each in (command, *parts):
            if ASCII_OPTION not in each.params:
                each.params.append(ASCII_OPTION)  # every command takes it
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in COMMANDS:
            return super().resolve_command(ctx, args)
        _refuse_misspelled_command(args[0])
        return "PATH", self.get_command(ctx, "open"), args  # messages call it PATH

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)  # a group's imports every command
        return names(ctx, incomplete, *COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(self, *given: Any, **named: Any) -> click.Context:
        try:
            return super().make_context(*given, **named)
        except BrokenPipeError as error:  # `--help` is written here
            raise ReaderGone from error

    def invoke(self, ctx: click.Context) -> Any:
        import logging  # not needed by `--help`

        handler = logging.Handler()
        handler.emit = lambda record: say(f"{PROGRAM}: {record.getMessage()}")  # type: ignore[method-assign]
        logging.getLogger().addHandler(handler)
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error
        finally:
            logging.getLogger().removeHandler(handler)

    def main(self, *given: Any, **named: Any) -> Any:
        """Run a command line and exit; an error that a user can cause is one line and an exit code."""
        run: Callable[..., Any] = super().main  # click's overloads have no place for arguments passed on
        try:
            code = run(*given, standalone_mode=False, **named)
            if sys.stdout is not None and not sys.stdout.closed:
                sys.stdout.flush()  # a full disk or a closed pipe may be noticed only now
        except (BrokenPipeError, ReaderGone):  # such as `| head`, which has read enough
            for stream in (sys.stdout, sys.stderr):
                discard(stream)
            code = 0
        except Exception as error:
            from charrnn_tui.cli.failures import report  # imports the modules of all errors

            code = report(error)
            if code is None:
                raise
        sys.exit(code if isinstance(code, int) else 0)


@click.group(
    cls=Studio,
    invoke_without_command=True,
    subcommand_metavar="[PATH | COMMAND [ARGS]...]",
    epilog=EPILOG,
    params=[ASCII_OPTION],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, "--version", prog_name=PROGRAM, message="%(prog)s %(version)s")
@runs_option
@click.pass_context
def cli(ctx: click.Context, runs_dir: Path) -> int | None:
    """Train character-level LSTMs, watch them learn, and play with what they write.

    Without a command this opens the full-screen app: on PATH, which may be a text to train on, a checkpoint, or a run,
    or else on your newest trained model.
    """
    if ctx.invoked_subcommand is not None:
        return None
    from charrnn_tui.cli.open import show_app  # only this form of the command needs the app

    return show_app(runs_dir, None)


def main() -> None:
    """The program `charrnn-tui`."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.excepthook = _say_traceback
    limit_spinning(os.environ)
    if sys.argv[1:2] != ["score"]:
        use_one_blas_thread(os.environ)
    if isinstance(sys.stdout, io.TextIOWrapper):  # data is UTF-8 whatever the locale says
        sys.stdout.reconfigure(
            encoding=TERMINAL.encoding if is_terminal(sys.stdout) else "utf-8", errors="backslashreplace"
        )
    if isinstance(sys.stderr, io.TextIOWrapper) and is_terminal(sys.stderr):
        sys.stderr.reconfigure(encoding=TERMINAL.encoding, errors="backslashreplace")
    cli.main(prog_name=PROGRAM)


def _say_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    import traceback  # not needed unless an unexpected error ends the program

    say(*"".join(traceback.format_exception(kind, error, trace)).splitlines())


def _terminated(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def _refuse_misspelled_command(word: str) -> None:
    """Raise UsageError for a word that is no file and no run, but close to the name of a command."""
    if os.path.lexists(word) or set(word) & {os.sep, "/", "."}:
        return
    close = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.6)
    if close:
        from charrnn_tui.run.directory import find_run  # not needed for a command or a file

        runs = click.get_current_context().params.get("runs_dir")
        if runs is None or find_run(runs, word) is None:
            raise click.UsageError(f"{word}: no such command, file or run; did you mean {close[0]}?")
