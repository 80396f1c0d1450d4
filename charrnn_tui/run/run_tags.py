"""What a person does with runs: notes, pins, new names, and the sizes of their files."""

import json
import os
from dataclasses import asdict, dataclass, replace

from charrnn_tui.run.decoding import DecodingError, decode
from charrnn_tui.run.directory import RunDirectory, RunError, check_name
from charrnn_tui.run.files import write_atomically

MOST_NOTE = 200  # characters


@dataclass(frozen=True)
class RunTag:
    """note: one line of text. pinned: first in every list, and cannot be deleted."""

    note: str = ""
    pinned: bool = False


def read_tag(run: RunDirectory) -> RunTag:
    """The run's note and pin; neither if they cannot be read."""
    try:
        tag = decode((run.path / "tag.json").read_bytes(), RunTag)
    except (OSError, DecodingError):
        return RunTag()
    return replace(tag, note=tag.note[:MOST_NOTE])


def write_tag(run: RunDirectory, tag: RunTag) -> None:
    """Write the tag into the run's directory. Raises RunError."""
    one_line = " ".join(tag.note.split())[:MOST_NOTE]
    try:
        data = json.dumps(asdict(RunTag(one_line, tag.pinned)), ensure_ascii=False) + "\n"
        write_atomically(run.path / "tag.json", data.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise RunError(f"{run.name}: cannot be written: {error.strerror or error}") from None


def rename_run(run: RunDirectory, name: str) -> RunDirectory:
    """Rename the run. Raises RunError if the name is invalid or taken, or the run is being trained."""
    check_name(name)
    if (pid := run.trainer()) is not None:
        raise RunError(f"{run.name}: is being trained by process {pid}, which knows it by this name; stop that first")
    there = run.path.with_name(name)
    if there.exists():
        raise RunError(f"{name}: there is a run of this name already; choose another")
    try:
        run.path.rename(there)
    except OSError as error:
        raise RunError(f"{run.name}: cannot be renamed: {error.strerror or error}") from None
    return RunDirectory(there)


def files_of(run: RunDirectory) -> list[tuple[str, int]]:
    """(path within the run, bytes) of each of its files, the largest first; a second name of a file has none."""
    found, seen = [], set()
    for folder, _, names in os.walk(run.path):
        for name in names:
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except OSError:  # replaced by the trainer a moment ago
                continue
            found.append((os.path.relpath(path, run.path), 0 if status.st_ino in seen else status.st_size))
            seen.add(status.st_ino)
    return sorted(found, key=lambda file: (-file[1], file[0]))
