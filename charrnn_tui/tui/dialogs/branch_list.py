"""The tree of branches, to choose, bookmark or delete one."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList

from charrnn_tui.playground.branches import Branch, BranchTree, outline
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.keys import Key, bindings_of


class BranchList(Dialog[Branch | None]):
    """Gives the chosen branch, or None. Bookmarks and deletions act at once."""

    HELP = "All texts of this session, each indented under the one that it was forked from."
    TERMS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("●", "the text on the screen"),
        ("★", "bookmarked: never deleted to save memory"),
    )

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("t", "dismiss(None)", "Close", "Close the list.", "tree.close"),
        Key("b", "bookmark", "Bookmark", "Set or remove the bookmark of the highlighted text.", "tree.bookmark"),
        Key("x", "delete", "Delete", "Delete the highlighted text and those forked from it.", "tree.delete"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, branches: BranchTree) -> None:
        super().__init__()
        self._branches = branches
        self._list = ChoiceList[Branch]("branches", "Enter opens  b bookmark  x delete  Esc closes")

    def compose(self) -> ComposeResult:
        yield self._list

    def on_mount(self) -> None:
        self._list.fill(outline(self._branches), self._branches.current)

    @on(OptionList.OptionSelected)
    def opened(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        branch = self._list.value_of(event.option)
        if branch is not None:  # else it has been deleted meanwhile
            self.dismiss(branch)

    def action_bookmark(self) -> None:
        if (branch := self._list.value) is not None:
            branch.bookmarked = not branch.bookmarked
            self._list.fill(outline(self._branches), branch)

    def action_delete(self) -> None:
        if (branch := self._list.value) is not None and not self._branches.delete(branch):
            self.notify("this is the only text there is", markup=False)
        self._list.fill(outline(self._branches), self._branches.current)
