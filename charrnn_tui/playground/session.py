"""What was going on in the playground, on disk: every text with its recipe, the tree they form, the controls."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from charrnn_tui.playground.branches import Mark
from charrnn_tui.playground.controls import PlaySettings
from charrnn_tui.playground.models import Kind, ModelSource
from charrnn_tui.run.decoding import Count, decode
from charrnn_tui.run.files import write_atomically
from charrnn_tui.sampling.recipe import Recipe

if TYPE_CHECKING:
    from charrnn_tui.playground.branches import Branch, BranchTree
    from charrnn_tui.playground.models import LoadedModel

VERSION: Final = 1
DIRECTORY: Final = "sessions"  # in the runs directory
KEPT: Final = 20  # of them; then the oldest goes


class SessionError(ValueError):
    """Not a session; the message is one line."""


@dataclass(frozen=True)
class SavedModel:
    """A `ModelSource` in JSON."""

    kind: Kind
    path: str


@dataclass(frozen=True)
class SavedBranch:
    """A text. parent: its place in the session, None where it grew out of nothing; position: where it left it.

    recipe: in JSON. Raises ValueError where it cannot be read, or says another length.
    """

    model: SavedModel
    recipe: dict[str, Any]
    text: str
    origin: str
    parent: Count | None
    position: Count
    marks: tuple[Mark, ...]
    bookmarked: bool

    def __post_init__(self) -> None:
        if len(self.text) != self.steps.length or self.position > len(self.text):
            raise ValueError(f"{len(self.text)} characters, not what the recipe says")

    @cached_property
    def steps(self) -> Recipe:
        """The recipe as it was read."""
        return Recipe.from_json(self.recipe)

    @property
    def source(self) -> ModelSource:
        return ModelSource(self.model.kind, Path(self.model.path))


@dataclass(frozen=True)
class Session:
    """As it is in JSON. branches: parents before what grew out of them. prime: as it was typed.

    current: the place of the text on the screen. Raises ValueError where a place is none.
    """

    settings: PlaySettings
    prime: str
    branches: list[SavedBranch]
    current: Count
    version: int = VERSION

    def __post_init__(self) -> None:
        parents = [branch.parent for branch in self.branches]
        if any(parent is not None and parent >= place for place, parent in enumerate(parents)):
            raise ValueError("a text stands before the one that it grew out of")
        if self.current >= len(self.branches):
            raise ValueError(f"there is no text {self.current}")
        self.settings.sampling  # noqa: B018 - raises where they make no sense

    @property
    def characters(self) -> int:
        return sum(len(branch.text) for branch in self.branches)


def session_of(
    branches: BranchTree, settings: PlaySettings, prime: str, kept: Callable[[LoadedModel], Path]
) -> Session:
    """What can be written again. kept: as `pin_checkpoint`; what it refuses, and what grew out of that, is left out.

    Raises SessionError where nothing is left.
    """
    saved: dict[Branch, SavedBranch] = {}
    for branch in branches:
        model, parent = branch.model, branch.parent
        if parent is not None and parent not in saved:
            continue
        try:
            recipe = Recipe.of(branch.generated, str(kept(model)), model.sha256)
        except ValueError:
            continue
        saved[branch] = SavedBranch(
            SavedModel(model.source.kind, str(model.source.path)),
            recipe.as_json(),
            branch.generated.text,
            branch.origin,
            None if parent is None else list(saved).index(parent),
            branch.position,
            tuple(branch.marks),
            branch.bookmarked,
        )
    if not saved:
        raise SessionError("no text of this session can be written again")
    order = list(saved)
    current = order.index(branches.current) if branches.current in saved else len(order) - 1
    return Session(settings, prime, list(saved.values()), current)


def write_session(path: Path, session: Session) -> None:
    """Write it, and take away the oldest ones beside it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(msgspec.to_builtins(session)) + "\n").encode())
    for old in list_sessions(path.parent)[KEPT:]:
        old.unlink(missing_ok=True)


def list_sessions(directory: Path) -> list[Path]:
    """Session files, the newest first."""
    try:
        found = [(path.stat().st_mtime_ns, path) for path in directory.glob("*.json")]
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)]


def read_session(path: Path) -> Session:
    """Raises SessionError, which begins with the path."""
    try:
        session = decode(path.read_bytes(), Session)
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise SessionError(f"{path}: is not a session, or is damaged: {error}") from None
    if session.version != VERSION:
        raise SessionError(f"{path}: is a session of version {session.version}, this program reads {VERSION}")
    return session
