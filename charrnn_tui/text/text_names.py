"""The files that a user means by the names of texts: files, directories, patterns, standard input, the demo text."""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from charrnn_tui.text.demo import text_path
from charrnn_tui.text.text_file import CorpusError, TextFile

STANDARD_INPUT: Final = "/dev/stdin"
Unreadable = Literal["refuse", "skip"]
_PATTERN: Final = frozenset("*?[")


@dataclass(frozen=True)
class NamedTexts:
    """files: paths, in the order in which they are read. left_out: what else was found, a line each with the reason."""

    files: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def files_of(names: Sequence[str], encoding: str = "utf-8", unreadable: Unreadable = "refuse") -> NamedTexts:
    """The files of text that these names mean.

    A directory means all files in it and below, in the order of their paths, without hidden and empty ones; a pattern
    (`texts/**/*.txt`) what it matches. Of these, binary ones are left out. unreadable: what to do with one that cannot
    be opened or decoded: it is left out, or CorpusError is raised, for its encoding only once it is read. A file that
    is named itself is not looked at. Raises CorpusError where a name means no file.
    """
    files, left_out = list[str](), list[str]()
    for name in names:
        path = STANDARD_INPUT if name == "-" else text_path(name)
        if not os.path.isdir(path) and (os.path.lexists(path) or not _PATTERN & {*path}):
            files.append(path)
            continue
        found, unread = _members(path)
        if unread and unreadable == "refuse":
            raise CorpusError(f"{unread[0]}; leave it out with --unreadable skip")
        problems = {member: _problem(member, encoding, unreadable) for member in found}
        members = [member for member, problem in problems.items() if problem is None]
        left_out += [*unread, *(problem for problem in problems.values() if problem is not None)]
        if not members:
            if left_out:
                raise CorpusError(f"{name}: nothing is left of it: {left_out[0]}")
            what = "there is no file of text in this directory" if os.path.isdir(path) else "no file of text matches"
            raise CorpusError(f"{name}: {what}")
        files += members
    return NamedTexts(tuple(files), tuple(left_out))


def name_of(files: Sequence[str | Path]) -> str:
    """A short name of a text: that of its only file, or of the directory that has them all; or else of the first."""
    first = str(files[0])
    if len(files) > 1 and all(map(os.path.isfile, files)):
        directory = os.path.commonpath([os.path.dirname(os.path.abspath(file)) for file in files])
        if name := os.path.basename(directory):
            return name
    return Path(first.removesuffix(".gz").removesuffix(".zst")).stem or "text"


def _members(path: str) -> tuple[list[str], list[str]]:
    """The files of a directory or a pattern that are not empty, in order, and which directories cannot be read."""
    found, unread = list[str](), list[str]()
    if os.path.isdir(path):

        def note(error: OSError) -> None:
            unread.append(f"{error.filename}: cannot be read: {error.strerror or error}")

        for folder, folders, names in os.walk(path, onerror=note):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [os.path.join(folder, name) for name in sorted(names) if not name.startswith(".")]
    else:
        found = sorted(glob.glob(path, recursive=True))
    return [file for file in found if os.path.isfile(file) and os.path.getsize(file)], unread


def _problem(path: str, encoding: str, unreadable: Unreadable) -> str | None:
    """Why a file is left out; None for a text. Raises CorpusError where it cannot be opened but must not be skipped."""
    try:
        file = TextFile(path, encoding)
        if (binary := file.binary) or unreadable == "refuse":
            return binary or None
        for _ in file.texts():
            pass
    except CorpusError as error:
        if unreadable == "refuse":
            raise CorpusError(f"{error}; leave it out with --unreadable skip") from None
        return str(error)
    return None
