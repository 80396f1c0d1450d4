"""What the keys of the branches do that need a dialog: choose one from the tree, edit a line of the text."""

from collections.abc import Callable

from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.playground import NO_TEXT
from charrnn_tui.tui.dialogs.branch_list import BranchList
from charrnn_tui.tui.dialogs.edit_text import EditText
from charrnn_tui.tui.play.pane import PlaygroundPane


class BranchActions:
    """Asks, and lets the playground do what was answered."""

    def __init__(self, pane: PlaygroundPane, report: Callable[[str], None]) -> None:
        """report: called after each answer with a line for the user, or with an empty one."""
        self._pane, self._playground, self._report = pane, pane.playground, report

    def choose(self) -> None:
        """Show the branch that is chosen from the list of all."""

        def chosen(branch: Branch | None) -> None:
            if branch is not None:
                self._playground.turn_to(branch)
            self._report("")

        self._pane.app.push_screen(BranchList(self._playground.tree), chosen)

    def edit_line(self) -> None:
        """Edit the line under the cursor or, if none is shown, the last one; the model goes on behind it."""
        branch, view = self._playground.tree.current, self._pane.text_view
        if branch is None:
            self._report(NO_TEXT)
            return
        text = branch.generated.text
        shown = view.show_cursor and view.cursor is not None
        cursor = (view.cursor or 0) - len(branch.generated.prime) if shown else len(text)
        if cursor < 0:
            self._pane.prime_field.edit()
            return
        start = text.rfind("\n", 0, cursor) + 1
        end = text.find("\n", cursor)
        line = text[start : len(text) if end < 0 else end]

        def edited(answer: str | None) -> None:
            if answer is not None and answer != line:
                self._playground.turn_to(branch)  # a replay may have shown another one meanwhile
                self._report(self._playground.edit(start, answer))

        self._pane.app.push_screen(EditText(line, cursor - start, branch.generated.vocabulary), edited)
