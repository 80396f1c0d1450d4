"""The tree of texts: which was forked from which, which is shown, and what can be undone."""

from __future__ import annotations  # Branch and its parent

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple

from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.run.quantities import nats
from charrnn_tui.sampling.generated_text import GeneratedText

SAME_CHANGE_SECONDS: Final = 0.7  # a key held down leaves one mark
CHANGES_MOST: Final = 200  # that can be undone
MEMORY_MOST: Final = 256 << 20  # bytes of texts; then the oldest that nobody has bookmarked go
NETWORKS_MOST: Final = 4  # a run in training gives another one to every text that starts over


class Mark(NamedTuple):
    """A place in a text, the prime included, from which on a setting or the model is another one."""

    position: int
    label: str


@dataclass(eq=False)
class Branch:
    """A generated text with its place in the tree. position: where it left its parent's text; 0 where it has none."""

    generated: GeneratedText
    model: LoadedModel
    origin: str
    """How it came about, such as `start` or `fork ‘x’`."""
    parent: Branch | None = None
    position: int = 0
    marks: list[Mark] = field(default_factory=list)
    bookmarked: bool = False
    _last_change: tuple[str, float] = ("", 0.0)

    def mark(self, label: str, now: float) -> Mark | None:
        """A mark at the next character to be written, unless it is one more step of the same change, begun just now."""
        (last_name, last_time), name = self._last_change, label.split()[0]
        self._last_change = (name, now)
        if not self.generated or (name == last_name and now - last_time <= SAME_CHANGE_SECONDS):
            return None
        mark = Mark(len(self.generated.prime) + len(self.generated), label)
        self.marks.append(mark)
        return mark

    def forked(self, generated: GeneratedText, position: int, origin: str) -> Branch:
        """One that grows out of this one at a place, marked there."""
        place = len(generated.prime) + position
        marks = [*(mark for mark in self.marks if mark.position < place), Mark(place, origin)]
        return Branch(generated, self.model, origin, self, position, marks)

    @property
    def ancestry(self) -> Iterator[Branch]:
        """Itself, its parent, and so on."""
        branch: Branch | None = self
        while branch is not None:
            yield branch
            branch = branch.parent


class _Change(NamedTuple):
    """A branch that grew, or was deleted; all branches and the current one as they were on the other side of it."""

    branch: Branch
    grew: bool
    branches: list[Branch]
    current: Branch | None


class BranchTree:
    """All branches in the order in which they grew; one of them is the current one, once there is any."""

    def __init__(self) -> None:
        self.current: Branch | None = None
        self._branches: list[Branch] = []
        self._done: list[_Change] = []
        self._undone: list[_Change] = []

    def __iter__(self) -> Iterator[Branch]:
        """Each behind its parent, as a tree is drawn."""
        yield from self._below(None)

    def _below(self, parent: Branch | None) -> Iterator[Branch]:
        for branch in self.children(parent):
            yield branch
            yield from self._below(branch)

    def children(self, parent: Branch | None) -> list[Branch]:
        """Those that grew out of one, or out of nothing."""
        return [branch for branch in self._branches if branch.parent is parent]

    def grow(self, branch: Branch) -> None:
        """Add a branch and make it the current one; drop what was undone, and the current text if it is empty."""
        last = self._done[-1] if self._done else None
        if last is not None and last.grew and last.branch is self.current and not last.branch.generated:
            self._exchange(self._done, [])
        self._change(branch, True, [*self._branches, branch], branch)

    def delete(self, branch: Branch) -> bool:
        """Remove it with all that grew out of it; whether that could be done: something must be left to show."""
        left = [other for other in self._branches if branch not in other.ancestry]
        if not left or self.current is None:
            return False
        beside = [other for other in left if other.parent is None][-1]
        shown = self.current if self.current in left else branch.parent or beside
        self._change(branch, False, left, shown)
        return True

    def bring_back(self, branches: Sequence[Branch], current: Branch | None) -> None:
        """Put branches of an earlier session in, before those that have grown since; show one of them where asked."""

        def with_earlier(later: Sequence[Branch]) -> list[Branch]:
            return [*branches, *(branch for branch in later if branch not in branches)]

        self._branches = with_earlier(self._branches)
        for changes in (self._done, self._undone):
            changes[:] = [change._replace(branches=with_earlier(change.branches)) for change in changes]
        self.current = current or self.current

    def sibling(self, by: int) -> bool:
        """Make the one beside current, round the ends; whether there is another."""
        if self.current is None:
            return False
        beside = self.children(self.current.parent)
        self.current = beside[(beside.index(self.current) + by) % len(beside)]
        return len(beside) > 1

    def undo(self) -> str:
        """Take back what was done last; says what."""
        if not self._done or self._done[-1].current is None:
            return "nothing to undo"
        change = self._exchange(self._done, self._undone)
        return f"{'undone' if change.grew else 'back again'}: {change.branch.origin}"

    def redo(self) -> str:
        """Do again what was undone last; says what."""
        if not self._undone:
            return "nothing to redo"
        change = self._exchange(self._undone, self._done)
        if change.grew:
            self.current = change.branch
        return f"{'again' if change.grew else 'deleted again'}: {change.branch.origin}"

    def _change(self, branch: Branch, grew: bool, branches: list[Branch], current: Branch) -> None:
        self._done = [*self._done, _Change(branch, grew, self._branches, self.current)][-CHANGES_MOST:]
        self._undone.clear()
        self._branches, self.current = branches, current
        self._prune()

    def _exchange(self, source: list[_Change], target: list[_Change]) -> _Change:
        """Go back to what was on the other side of the last change of `source`, and add the way back to `target`."""
        change = source.pop()
        target.append(change._replace(branches=self._branches, current=self.current))
        self._branches, self.current = change.branches, change.current
        return change

    def _prune(self) -> None:
        """Keep within the memory: the oldest texts go, with all that grew out of them, unless there is a bookmark."""
        while True:
            stored = list(dict.fromkeys(chain(*(change.branches for change in self._done), self._branches)))
            networks = {id(branch.model.network) for branch in stored}
            held = sum(branch.generated.memory_bytes for branch in stored)
            if len(networks) <= NETWORKS_MOST and held <= MEMORY_MOST:
                return
            kept = {found for one in stored if one.bookmarked or one is self.current for found in one.ancestry}
            oldest = next((branch for branch in stored if branch.parent is None and branch not in kept), None)
            if oldest is None:
                return
            self._branches = _without(oldest, self._branches)
            self._done = [
                change._replace(branches=_without(oldest, change.branches))
                for change in self._done
                if oldest not in change.branch.ancestry
                and (change.current is None or oldest not in change.current.ancestry)
            ]


def _without(root: Branch, branches: Sequence[Branch]) -> list[Branch]:
    return [branch for branch in branches if root not in branch.ancestry]


def outline(branches: BranchTree) -> list[tuple[Branch, str]]:
    """A line for each branch, indented under its parent; with the characters of its text as they are."""
    lines = []
    for branch in branches:
        text, start = branch.generated, branch.position
        signs = ("●" if branch is branches.current else " ") + ("★" if branch.bookmarked else " ")
        indent = "  " * (sum(1 for _ in branch.ancestry) - 1)
        where = "" if branch.parent is None else f" at {start:,}"
        figures = f"{len(text):,} chars" + (f" · {nats(text.total_bits / len(text)):.2f} nats/char" if text else "")
        begins = ("" if branch.parent else text.prime) + text.vocabulary.decode(text.ids[start : start + 24])
        lines.append((branch, f"{signs} {indent}{branch.origin}{where} · {figures} · {begins}"))
    return lines
