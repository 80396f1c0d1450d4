"""The texts to choose from: those of earlier runs, the demo text, and the files of a directory."""

import codecs
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.quantities import size
from charrnn_tui.text.compression import format_of
from charrnn_tui.text.demo import DEMO, DEMO_ABOUT, demo_file
from charrnn_tui.text.text_file import BINARY_PROBE_BYTES, CorpusError

PARENT: Final = "../"  # label of the directory above
RECENT_TEXTS: Final = 10  # at most, and
_RECENT_RUNS: Final = 200  # looked through for them at most, the newest
_PROBED: Final = 2000  # files of a directory at most, the first; the form says it of the others


@dataclass(frozen=True)
class ListedText:
    """label: as it is listed. path: as `text_path` takes it. folder: whether it is a directory. hidden: by its name."""

    label: str
    path: str
    about: str = ""
    folder: bool = False
    hidden: bool = False


DEMO_TEXT: Final = ListedText(DEMO, DEMO, DEMO_ABOUT)


def recent_texts(runs: Iterable[RunDirectory]) -> list[ListedText]:
    """The texts of these runs that are still there, each once, in the order of the runs; without the demo text.

    Blocks while it reads the settings of the runs.
    """
    found: dict[str, ListedText] = {}
    demo = str(demo_file())
    for run in islice(runs, _RECENT_RUNS):
        for path in run.read_settings().get("corpus", ()):
            if path in found or path == demo:
                continue
            with suppress(OSError, ValueError):  # missing, or a path with a NUL
                if stat.S_ISREG((entry := os.stat(path)).st_mode):
                    name = short_name(path)
                    found[path] = ListedText(name, name, f"{size(entry.st_size)}, run {run.name}")
    return list(found.values())[:RECENT_TEXTS]


def texts_in(directory: Path, check: Callable[[], None] = lambda: None) -> list[ListedText]:
    """The parent of a directory, its directories and its files of text, in the order of their names.

    A file that looks binary is left out, and so are empty ones, pipes and devices. check: called for each entry, to
    give up the work. Blocks while it reads the beginning of each file; raises CorpusError where the directory cannot
    be read.
    """
    folders, files = list[ListedText](), list[tuple[str, int]]()
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                check()
                with suppress(OSError):  # deleted meanwhile, or behind a link that may not be followed
                    if entry.is_dir():
                        hidden = entry.name.startswith(".")
                        folders.append(ListedText(f"{entry.name}/", entry.path, folder=True, hidden=hidden))
                    elif entry.is_file() and (length := entry.stat().st_size):
                        files.append((entry.path, length))
    except OSError as error:
        raise CorpusError(f"{short_name(str(directory))}: cannot be read: {error.strerror or error}") from None
    texts = []
    for number, (path, length) in enumerate(sorted(files, key=lambda file: _order(os.path.basename(file[0])))):
        check()
        about, name = _about(path, length) if number < _PROBED else size(length), os.path.basename(path)
        if about is not None:
            texts.append(ListedText(name, short_name(path), about, hidden=name.startswith(".")))
    return [above(directory), *sorted(folders, key=lambda folder: _order(folder.label)), *texts]


def above(directory: Path) -> ListedText:
    """The parent of a directory."""
    return ListedText(PARENT, str(directory.parent), folder=True)


def short_name(path: str) -> str:
    """An absolute path as users name it: from the working directory, from their home with `~`, or as it is."""
    if name := _below(os.curdir, path):
        # Else `text_path` would take it for something else, or the form strip it.
        return f"./{name}" if name.startswith(("~", "demo:", " ")) else name
    name = _below("~", path)
    return f"~/{name}" if name else path


def _below(directory: str, path: str) -> str:
    """The path from this directory on; "" if it does not lie below."""
    try:
        start = os.path.join(os.path.abspath(os.path.expanduser(directory)), "")
    except FileNotFoundError:  # the working directory has been deleted
        return ""
    return path.removeprefix(start) if path.startswith(start) else ""


def _order(name: str) -> tuple[str, str]:
    return name.casefold(), name


def _about(path: str, length: int) -> str | None:
    """The size of a file, or that it cannot be read; None if it looks binary."""
    try:
        with open(path, "rb", buffering=0) as file:
            head = file.read(BINARY_PROBE_BYTES)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if compressed := format_of(head):
        return f"{size(length)}, {compressed}"
    utf_16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return size(length) if utf_16 or b"\0" not in head else None
