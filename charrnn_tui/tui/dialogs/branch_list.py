"""The tree of branches, to look at and to choose from."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from charrnn_tui.playground.branches import Branch, BranchTree, outline
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.textview.visible import visible


class BranchList(Dialog[Branch | None]):
    """Gives the chosen branch, or None. Bookmarks and deletions act at once."""

    HELP = """All texts of this session: each line one text, indented under the one that it was forked from.
● the one on the screen   ★ bookmarked: never dropped to save memory"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,t", "dismiss(None)", "Close", id="tree.close"),
        Binding("b", "bookmark", "Bookmark", id="tree.bookmark"),
        Binding("x", "delete", "Delete", id="tree.delete"),
    ]
    DEFAULT_CSS = """
    BranchList {
        align: center middle;
        & OptionList {
            width: 110; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; text-wrap: nowrap; text-overflow: ellipsis;
        }
    }
    """

    def __init__(self, branches: BranchTree) -> None:
        super().__init__()
        self._branches = branches
        self._listed: list[Branch] = []

    def compose(self) -> ComposeResult:
        options = ChoiceList()
        options.border_title = "branches"
        options.border_subtitle = "Enter opens  b bookmark  x delete  Esc closes"
        yield options

    def on_mount(self) -> None:
        self._fill(self._branches.current)

    def _fill(self, highlighted: Branch | None) -> None:
        options = self.query_one(OptionList)
        lines = outline(self._branches, visible)
        self._listed = [branch for branch, _ in lines]
        options.set_options(Option(Content(line)) for _, line in lines)
        if highlighted in self._listed:
            options.highlighted = self._listed.index(highlighted)

    @property
    def _chosen(self) -> Branch | None:
        place = self.query_one(OptionList).highlighted
        return None if place is None else self._listed[place]

    @on(OptionList.OptionSelected)
    def opened(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        place = self.query_one(ChoiceList).place_of(event.option)
        if place is not None:  # else it was deleted by the next key
            self.dismiss(self._listed[place])

    def action_bookmark(self) -> None:
        if (chosen := self._chosen) is not None:
            chosen.bookmarked = not chosen.bookmarked
            self._fill(chosen)

    def action_delete(self) -> None:
        if (chosen := self._chosen) is not None and not self._branches.delete(chosen):
            self.notify("this is the only text there is", markup=False)
        self._fill(self._branches.current)
