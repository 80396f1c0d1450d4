"""Errors that a user can cause: a line and an exit code. Any other error ends the program with its traceback."""

import sys

import click

from charrnn_tui.cli.options import PROGRAM
from charrnn_tui.cli.output import discard, say
from charrnn_tui.runner import failures
from charrnn_tui.runner.detached import NotStarted
from charrnn_tui.runner.failures import INTERRUPTED, USAGE

_PLAIN = {"a valid integer range": "a whole number", "a valid integer": "a whole number", "a valid float": "a number"}


def report(error: Exception) -> int | None:
    """Write the message of an error that a user can cause, and return the exit code; None for any other error."""
    explained = explain(error)
    if explained is None:
        return None
    message, code = explained
    say(f"{PROGRAM}: {' '.join(message.splitlines())}")
    if isinstance(error, OSError):
        discard(sys.stdout)  # it may be what failed, and would fail again at exit
    return code


def explain(error: Exception) -> tuple[str, int] | None:
    """(message, exit code) of a failure that a user can cause; None for any other."""
    match error:
        case click.Abort():
            return "interrupted", INTERRUPTED
        case click.UsageError():
            where = error.ctx.command_path if error.ctx else PROGRAM
            message = error.format_message().rstrip(".")
            for theirs, plain in _PLAIN.items():
                message = message.replace(theirs, plain)
            return f"{message} (see {where} --help)", USAGE
        case click.ClickException():
            return error.format_message(), error.exit_code
        case NotStarted():
            return str(error), error.exit_code
    return failures.explain(error)
