"""The tree of branches, to choose, bookmark or delete one."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from charrnn_tui.playground.branches import Branch, BranchTree, outline
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.textview.visible import visible


class BranchList(Dialog[Branch | None]):
    """Gives the chosen branch, or None. Bookmarks and deletions act at once."""

    HELP = "All texts of this session, each indented under the one that it was forked from."
    TERMS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("●", "the text on the screen"),
        ("★", "bookmarked: never deleted to save memory"),
    )

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("escape,t", "dismiss(None)", "Close", "Close the list.", "tree.close"),
        Key("b", "bookmark", "Bookmark", "Set or remove the bookmark of the highlighted text.", "tree.bookmark"),
        Key("x", "delete", "Delete", "Delete the highlighted text and those forked from it.", "tree.delete"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, branches: BranchTree) -> None:
        super().__init__()
        self._branches = branches
        self._listed: list[Branch] = []
        self._list = ChoiceList()
        self._list.border_title = "branches"
        self._list.border_subtitle = "Enter opens  b bookmark  x delete  Esc closes"

    def compose(self) -> ComposeResult:
        yield self._list

    def on_mount(self) -> None:
        self._fill(self._branches.current)

    def _fill(self, highlighted: Branch | None) -> None:
        lines = outline(self._branches, visible)
        self._listed = [branch for branch, _ in lines]
        self._list.set_options(Option(Content(line)) for _, line in lines)
        if highlighted in self._listed:
            self._list.highlighted = self._listed.index(highlighted)

    @property
    def _chosen(self) -> Branch | None:
        place = self._list.highlighted
        return None if place is None else self._listed[place]

    @on(OptionList.OptionSelected)
    def opened(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        place = self._list.place_of(event.option)
        if place is not None:  # else it has been deleted meanwhile
            self.dismiss(self._listed[place])

    def action_bookmark(self) -> None:
        if (chosen := self._chosen) is not None:
            chosen.bookmarked = not chosen.bookmarked
            self._fill(chosen)

    def action_delete(self) -> None:
        if (chosen := self._chosen) is not None and not self._branches.delete(chosen):
            self.notify("this is the only text there is", markup=False)
        self._fill(self._branches.current)
