"""The tree of pages: what grew out of what, what is being written, and what undo takes back."""

from __future__ import annotations  # Branch and its parent

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.sampling.generated_text import GeneratedText

SAME_CHANGE_SECONDS: Final = 0.7  # a key held down leaves one mark
DEEDS_MOST: Final = 200
MEMORY_MOST: Final = 256 << 20  # bytes of pages; then the oldest that nobody has bookmarked go
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
    alive: bool = True
    """Neither deleted nor undone."""
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


class _Deed(NamedTuple):
    """What can be undone: a branch that grew, or one that was deleted; where one stood before and after it."""

    branch: Branch
    grew: bool
    before: Branch | None
    after: Branch


class BranchTree:
    """All branches in the order in which they grew; one of them is the current one, once there is any."""

    def __init__(self) -> None:
        self.current: Branch | None = None
        self._all: list[Branch] = []
        self._done: list[_Deed] = []
        self._undone: list[_Deed] = []

    def __iter__(self) -> Iterator[Branch]:
        """The living ones, each behind its parent, as a tree is drawn."""
        yield from self._below(None)

    def children(self, parent: Branch | None) -> list[Branch]:
        """The living ones that grew out of one, or out of nothing."""
        return [branch for branch in self._all if branch.parent is parent and branch.alive]

    def depth(self, branch: Branch) -> int:
        """0 for one that grew out of nothing."""
        return sum(1 for _ in branch.ancestry) - 1

    def grow(self, branch: Branch) -> None:
        """Add one and stand on it. What was undone is dropped for good, and so is an empty text that was current."""
        before = self.current
        for deed in self._undone:
            if deed.grew and deed.branch in self._all:
                self._all.remove(deed.branch)
        self._undone.clear()
        if before is not None and not before.generated and not self.children(before):
            before = self._forget(before)
        self._all.append(branch)
        self._done.append(_Deed(branch, True, before, branch))
        self.current = branch
        self._prune()

    def bring_back(self, branches: Sequence[Branch], current: Branch | None) -> None:
        """Put branches of an earlier session in, before those that have grown since; stand on one where asked."""
        self._all = [*branches, *(branch for branch in self._all if branch not in branches)]
        if current is not None:
            self.current = current

    def sibling(self, by: int) -> Branch | None:
        """Stand on the one beside, round the ends; None where there is no other."""
        if self.current is None:
            return None
        beside = self.children(self.current.parent)
        if len(beside) < 2:
            return None
        self.current = beside[(beside.index(self.current) + by) % len(beside)]
        return self.current

    def turn_to(self, branch: Branch) -> None:
        """Stand on it."""
        self.current = branch

    def delete(self, branch: Branch) -> bool:
        """Take it away with all that grew out of it; whether that could be done: something must be left to stand on."""
        current = self.current
        refuge = self._refuge(branch)
        if current is None or refuge is None:
            return False
        branch.alive = False
        after = refuge if branch in current.ancestry else current
        self._done.append(_Deed(branch, False, current, after))
        self._undone.clear()
        self.current = after
        self._prune()
        return True

    def undo(self) -> str:
        """Take back what was done last; says what, empty where there is nothing."""
        if not self._done or self._done[-1].before is None:
            return ""
        deed = self._done.pop()
        self._undone.append(deed)
        deed.branch.alive = not deed.grew
        self.current = deed.before
        return f"undone: {deed.branch.origin}" if deed.grew else f"back again: {deed.branch.origin}"

    def redo(self) -> str:
        """Do again what was undone last; says what, empty where there is nothing."""
        if not self._undone:
            return ""
        deed = self._undone.pop()
        self._done.append(deed)
        deed.branch.alive = deed.grew
        self.current = deed.after
        return f"again: {deed.branch.origin}" if deed.grew else f"deleted again: {deed.branch.origin}"

    def _below(self, parent: Branch | None) -> Iterator[Branch]:
        for branch in self.children(parent):
            yield branch
            yield from self._below(branch)

    def _refuge(self, branch: Branch) -> Branch | None:
        """Where to stand when a branch goes: its parent, or a neighbour."""
        if branch.parent is not None:
            return branch.parent
        others = [root for root in self.children(None) if root is not branch]
        return others[-1] if others else None

    def _forget(self, branch: Branch) -> Branch | None:
        """Drop one for good, with the deeds it was part of; gives what one stood on before it."""
        before = next((deed.before for deed in self._done if deed.branch is branch and deed.grew), None)
        gone = [found for found in self._all if branch in found.ancestry]
        self._all = [found for found in self._all if found not in gone]
        self._done = [deed for deed in self._done if not {deed.branch, deed.before, deed.after} & set(gone)]
        return before if before in self._all else None

    def _prune(self) -> None:
        """Keep within the memory: the oldest texts go, with all that grew out of them, unless there is a bookmark."""
        while len(self._done) > DEEDS_MOST:
            deed = self._done.pop(0)
            if not deed.branch.alive:
                self._forget(deed.branch)
        while self._too_much():
            held = [branch for branch in self._all if branch.bookmarked or branch is self.current]
            kept = {found for branch in held for found in branch.ancestry}
            oldest = next((branch for branch in self._all if branch.parent is None and branch not in kept), None)
            if oldest is None:
                return
            self._forget(oldest)

    def _too_much(self) -> bool:
        networks = {id(branch.model.network) for branch in self._all}
        held = sum(branch.generated.memory_bytes for branch in self._all)
        return len(networks) > NETWORKS_MOST or held > MEMORY_MOST


def outline(branches: BranchTree, text_of: Callable[[str], str]) -> list[tuple[Branch, str]]:
    """A line for each branch, indented under its parent. text_of: makes characters safe to show."""
    lines = []
    for branch in branches:
        generated, position = branch.generated, branch.position
        signs = ("●" if branch is branches.current else " ") + ("★" if branch.bookmarked else " ")
        lead = f"{signs} {'  ' * branches.depth(branch)}{branch.origin}"
        lead += f" at {position:,}" if branch.parent is not None else ""
        begins = text_of(
            generated.prime + generated.vocabulary.decode(generated.ids[:24]) if branch.parent is None else ""
        )
        begins = begins or text_of(generated.vocabulary.decode(generated.ids[position : position + 24]))
        figures = f"{len(generated):,} chars" + (
            f" · {generated.total_bits / len(generated):.2f} bits/char" if generated else ""
        )
        lines.append((branch, f"{lead} · {figures} · {begins}"))
    return lines
