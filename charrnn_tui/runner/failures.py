"""Errors that a user or a file can cause, as a line and an exit code."""

from typing import Final

from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.run.directory import RunError
from charrnn_tui.run.lock import RunLocked
from charrnn_tui.run.ranks import RanksLost
from charrnn_tui.run.settings import SettingsError
from charrnn_tui.runner.export import ExportError
from charrnn_tui.text.batches import TextTooShort
from charrnn_tui.text.text_file import CorpusError
from charrnn_tui.text.vocabulary import UnknownCharacters

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
_NO_MEMORY: Final = "not enough memory; try a smaller --n-hidden, --batch-size or --seq-length"


def explain(error: Exception) -> tuple[str, int] | None:
    """(message, exit code) of a failure that a user can cause; None for any other."""
    match error:
        case SettingsError():
            return str(error), USAGE
        case RunError() | RunLocked() | CorpusError() | TextTooShort() | UnknownCharacters():
            return str(error), FAILED
        case RanksLost():
            return f"the training could not begin: {error}; the lines before this one may say why", FAILED
        case CheckpointError() | ExportError():
            return str(error), FAILED
        case OSError():
            return f"{error.filename or 'standard output'}: {error.strerror or error}", FAILED
    message = str(error).lower()  # torch raises a plain RuntimeError where an allocator gives up
    exhausted = isinstance(error, RuntimeError) and ("allocate memory" in message or "out of memory" in message)
    return (_NO_MEMORY, FAILED) if exhausted or isinstance(error, MemoryError) else None
