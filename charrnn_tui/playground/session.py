"""What was going on in the playground, on disk: every text with its recipe, the tree they form, the controls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from charrnn_tui.playground.branches import Mark
from charrnn_tui.playground.controls import PlaySettings
from charrnn_tui.playground.models import Kind, ModelSource
from charrnn_tui.run.files import write_atomically
from charrnn_tui.sampling.recipe import Recipe, RecipeError

if TYPE_CHECKING:
    from charrnn_tui.playground.branches import Branch, BranchTree
    from charrnn_tui.playground.models import LoadedModel

VERSION: Final = 1
DIRECTORY: Final = "sessions"  # in the runs directory
KEPT: Final = 20  # of them; then the oldest goes
_KINDS: Final = get_args(Kind)


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
    values = {
        "version": VERSION,
        "settings": asdict(session.settings),
        "prime": session.prime,
        "branches": [_branch_json(branch) for branch in session.branches],
        "current": session.current,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(values) + "\n").encode())
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
        values = json.loads(path.read_bytes())
        if values["version"] != VERSION:
            raise SessionError(f"{path}: is a session of version {values['version']}, this program reads {VERSION}")
        branches = tuple(_branch(given, place) for place, given in enumerate(values["branches"]))
        known = {field.name for field in fields(PlaySettings)}
        settings = PlaySettings(**{name: value for name, value in values["settings"].items() if name in known})
        session = Session(settings, str(values["prime"]), branches, int(values["current"]))
        session.settings.sampling  # noqa: B018 - raises where they make no sense
        _whole(settings.seed, 0)
        for limit in (settings.speed, settings.length):
            if limit is not None:
                _whole(limit, 1)
        session.branches[session.current]
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (RecipeError, SessionError) as error:
        raise SessionError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        raise SessionError(f"{path}: is not a session, or is damaged") from None
    return session


def _branch_json(branch: SavedBranch) -> dict[str, Any]:
    return {
        "model": {"kind": branch.source.kind, "path": str(branch.source.path)},
        "recipe": branch.recipe.as_json(),
        "text": branch.text,
        "origin": branch.origin,
        "parent": branch.parent,
        "position": branch.position,
        "marks": [list(mark) for mark in branch.marks],
        "bookmarked": branch.bookmarked,
    }


def _whole(value: object, least: int) -> int:
    if type(value) is not int or value < least:  # True is an int to isinstance
        raise ValueError(value)
    return value


def _branch(values: Mapping[str, Any], place: int) -> SavedBranch:
    recipe = Recipe.parse(json.dumps(values["recipe"]))
    kind, parent, text, position = values["model"]["kind"], values["parent"], str(values["text"]), values["position"]
    if kind not in _KINDS or len(text) != recipe.length or _whole(position, 0) > len(text):
        raise ValueError(place)
    if parent is not None and _whole(parent, 0) >= place:
        raise ValueError(place)
    marks = tuple(Mark(int(position), str(label)) for position, label in values["marks"])
    source = ModelSource(kind, Path(values["model"]["path"]))
    return SavedBranch(source, recipe, text, str(values["origin"]), parent, position, marks, bool(values["bookmarked"]))
