"""What a user can cause, in one line and an exit code; everything else ends the program with its traceback."""

import sys

import click

from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.cli.options import PROGRAM
from charrnn_tui.cli.output import discard, say
from charrnn_tui.run.directory import RunError
from charrnn_tui.run.lock import RunLocked
from charrnn_tui.run.settings import SettingsError
from charrnn_tui.text.batches import TextTooShort
from charrnn_tui.text.text_file import CorpusError
from charrnn_tui.text.vocabulary import UnknownCharacters

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class Failed(click.ClickException):
    """A command could not do its work; the message is one line."""

    exit_code = FAILED


def report(error: Exception) -> int | None:
    """Say what went wrong and give the exit code; None for what is not the user's doing."""
    explained = explain(error)
    if explained is None:
        return None
    message, code = explained
    say(f"{PROGRAM}: {' '.join(message.splitlines())}")
    if isinstance(error, OSError):
        discard(sys.stdout)  # it may be what failed, and would fail again at exit
    return code


def explain(error: Exception) -> tuple[str, int] | None:
    """(message, exit code) of a failure that a user can cause."""
    match error:
        case click.Abort():
            return "interrupted", INTERRUPTED
        case click.UsageError():
            where = error.ctx.command_path if error.ctx else PROGRAM
            return f"{error.format_message().rstrip('.')} (see {where} --help)", USAGE
        case click.ClickException():
            return error.format_message(), error.exit_code
        case SettingsError():
            return str(error), USAGE
        case RunError():
            return str(error), USAGE if str(error).startswith("--") else FAILED  # it names the option that is to blame
        case CorpusError() | TextTooShort() | CheckpointError() | UnknownCharacters() | RunLocked():
            return str(error), FAILED
        case OSError():
            return f"{error.filename or 'standard output'}: {error.strerror or error}", FAILED
    return out_of_memory(error)


def out_of_memory(error: Exception) -> tuple[str, int] | None:
    """Torch raises a plain RuntimeError where an allocator gives up."""
    told = str(error).lower()
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("allocate memory" in told or "out of memory" in told)
    ):
        return "not enough memory; try a smaller --n-hidden, --batch-size or --seq-length", FAILED
    return None
