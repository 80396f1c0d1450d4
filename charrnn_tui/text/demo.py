"""A text that every machine has: the source of Python's own standard library."""

import hashlib
import os
import sysconfig
from pathlib import Path

from charrnn_tui.run.files import write_atomically
from charrnn_tui.text.text_file import CorpusError

DEMO = "demo:python"
DEMO_ABOUT = "source of Python's standard library, 2 MB"
DEMO_BYTES = 2_000_000  # at most; about as long as the notebook's text


def text_path(name: str) -> str:
    """The path of a text as users name it: `~` is their home directory, and DEMO is the demo text, made if missing.

    Raises CorpusError for another demo text, or if it cannot be made.
    """
    if name.startswith("demo:") and name != DEMO and not os.path.exists(name):
        raise CorpusError(f"{name}: no such demo text; there is {DEMO}")
    return str(_demo_text()) if name == DEMO else os.path.expanduser(name)


def demo_file() -> Path:
    """Where the demo text lies once it is made: in the user's data directory, also after an update of Python."""
    import platformdirs  # not needed where a file is named

    return platformdirs.user_data_path("charrnn-tui") / "texts" / "python.txt"


def _demo_text() -> Path:
    path = demo_file()
    if path.exists():
        return path
    try:
        text = standard_library(Path(sysconfig.get_path("stdlib")))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise CorpusError(f"{DEMO}: {error.filename or path}: {error.strerror or error}") from None
    return path


def standard_library(directory: Path) -> bytes:
    """The modules of the directory that are plain ASCII, one after the other, up to DEMO_BYTES.

    They come in the order of their names' SHA-256: the same everywhere, and the end, which is held out, is like the
    rest. Raises OSError, and CorpusError where there are no modules.
    """
    text = b""
    for module in sorted(directory.glob("*.py"), key=lambda module: hashlib.sha256(module.name.encode()).digest()):
        source = module.read_bytes()
        if source.isascii() and len(text) + len(source) <= DEMO_BYTES:
            text += source
    if not text:
        raise CorpusError(f"{DEMO}: {directory}: this Python came without the source of its library; name a text file")
    return text
