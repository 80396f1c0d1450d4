"""What was going on in the playground, on disk: every text with its recipe, the tree they form, the controls."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from charrnn_tui.playground.branches import Mark
from charrnn_tui.playground.controls import PlaySettings
from charrnn_tui.playground.models import Kind, ModelSource
from charrnn_tui.run.decoding import Count, decode
from charrnn_tui.run.files import write_atomically
from charrnn_tui.sampling.recipe import Recipe, RecipeError

if TYPE_CHECKING:
    from charrnn_tui.playground.branches import Branch, BranchTree
    from charrnn_tui.playground.models import LoadedModel

VERSION: Final = 1
DIRECTORY: Final = "sessions"  # in the runs directory
KEPT: Final = 20  # of them; then the oldest goes


class SessionError(ValueError):
    """Not a session; the message is one line."""


@dataclass(frozen=True)
class SavedBranch:
    """A text. parent: its place in the session, None where it grew out of nothing; position: where it left it."""

    source: ModelSource
    recipe: Recipe
    text: str
    origin: str
    parent: int | None
    position: int
    marks: tuple[Mark, ...]
    bookmarked: bool


@dataclass(frozen=True)
class Session:
    """branches: parents before what grew out of them. current: the one on the screen. prime: as it was typed."""

    settings: PlaySettings
    prime: str
    branches: tuple[SavedBranch, ...]
    current: int

    @property
    def characters(self) -> int:
        return sum(len(branch.text) for branch in self.branches)


class _ModelFile(msgspec.Struct):
    kind: Kind
    path: str


class _BranchFile(msgspec.Struct):
    """A `SavedBranch` as it is in JSON."""

    model: _ModelFile
    recipe: dict[str, Any]
    text: str
    origin: str
    parent: Count | None
    position: Count
    marks: tuple[Mark, ...]
    bookmarked: bool

    @classmethod
    def of(cls, branch: SavedBranch) -> Self:
        model, recipe = _ModelFile(branch.source.kind, str(branch.source.path)), branch.recipe.as_json()
        place = (branch.origin, branch.parent, branch.position)
        return cls(model, recipe, branch.text, *place, branch.marks, branch.bookmarked)

    def read(self, place: int) -> SavedBranch:
        """The text at this place in its session. Raises ValueError."""
        recipe = Recipe.from_json(self.recipe)
        if len(self.text) != recipe.length or self.position > len(self.text):
            raise ValueError(f"text {place} has {len(self.text)} characters, not what its recipe says")
        if self.parent is not None and self.parent >= place:
            raise ValueError(f"text {place} stands before the one that it grew out of")
        source, where = ModelSource(self.model.kind, Path(self.model.path)), (self.origin, self.parent, self.position)
        return SavedBranch(source, recipe, self.text, *where, self.marks, self.bookmarked)


class _SessionFile(msgspec.Struct):
    version: int
    settings: PlaySettings
    prime: str
    branches: list[_BranchFile]
    current: Count


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
            model.source,
            recipe,
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
    return Session(settings, prime, tuple(saved.values()), current)


def write_session(path: Path, session: Session) -> None:
    """Write it, and take away the oldest ones beside it. Raises OSError."""
    branches = [_BranchFile.of(branch) for branch in session.branches]
    file = _SessionFile(VERSION, session.settings, session.prime, branches, session.current)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(msgspec.to_builtins(file)) + "\n").encode())
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
        file = decode(path.read_bytes(), _SessionFile)
        if file.version != VERSION:
            raise SessionError(f"{path}: is a session of version {file.version}, this program reads {VERSION}")
        branches = tuple(branch.read(place) for place, branch in enumerate(file.branches))
        file.settings.sampling  # noqa: B018 - raises where they make no sense
        branches[file.current]
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror or error}") from None
    except SessionError:
        raise
    except RecipeError as error:
        raise SessionError(f"{path}: {error}") from None
    except (ValueError, IndexError) as error:
        raise SessionError(f"{path}: is not a session, or is damaged: {error}") from None
    return Session(file.settings, file.prime, branches, file.current)
