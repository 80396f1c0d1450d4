"""The part of the playground that looks back: the inspector, forks, the tree, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from charrnn_tui.sampling.inspector import Inspection
from charrnn_tui.tui.play.control_keys import ControlKeys
from charrnn_tui.tui.play.inspector import Finding, Inspector
from charrnn_tui.tui.play.text_editor import TextEditor
from charrnn_tui.tui.play.writing_desk import WritingDesk
from charrnn_tui.tui.textview.text_view import TextView
from charrnn_tui.tui.textview.visible import visible

if TYPE_CHECKING:
    from charrnn_tui.playground.branches import Branch
    from charrnn_tui.tui.play.forking_desk import ForkingDesk

ACTIONS = frozenset(
    {
        "inspect",
        "find_symbol",
        "sibling",
        "tree",
        "bookmark",
        "delete",
        "undo",
        "redo",
        "colours",
        "leave_inspector",
        "edit_text",
    }
)


class LookingBack(ControlKeys):
    """Keys and panes for what has been written; the playground builds on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find_symbol", "Symbol", show=False, key_display="/", id="play.symbol"),
        Binding("left_square_bracket", "sibling(-1)", "Branch before", show=False, key_display="[", id="play.before"),
        Binding("right_square_bracket", "sibling(1)", "Branch after", show=False, key_display="]", id="play.after"),
        Binding("e", "edit_text", "Edit the text", show=False, id="play.edit"),
        Binding("t", "tree", "Tree of branches", show=False, id="play.tree"),
        Binding("b", "bookmark", "Bookmark", show=False, id="play.bookmark"),
        Binding("x", "delete", "Delete this branch", show=False, id="play.delete"),
        Binding("u", "undo", "Undo", show=False, id="play.undo"),
        Binding("U", "redo", "Redo", show=False, id="play.redo"),
        Binding("escape", "leave_inspector", "Leave the inspector", show=False, id="play.leave_inspector"),
    ]

    def __init__(self, desk: ForkingDesk, new_seed: Callable[[], int]) -> None:
        super().__init__()
        self.desk = desk
        self.inspector = Inspector()
        self._new_seed = new_seed
        self._colour_mode = -1  # off

    @property
    def inspecting(self) -> bool:
        return self.has_class("-inspecting")

    @property
    def typing(self) -> bool:
        """Whether letters go into a text field."""
        return isinstance(self.focused, Input | TextEditor)

    @on(TextView.CursorMoved)
    def cursor_moved(self, event: TextView.CursorMoved) -> None:
        event.stop()
        self.look()

    @on(WritingDesk.Turned)
    def page_turned(self, event: WritingDesk.Turned) -> None:
        """The cursor stays where the page begins to differ, or at its end."""
        view, branch = self.desk.text_view, event.branch
        if self.inspecting and not event.stays and branch is self.desk.branches.current and view.length:
            place = len(branch.page.prime) + branch.position
            view.cursor = place if branch.parent is not None else view.length - 1
        self.look()

    @on(Inspector.StepAsked)
    def step_asked(self, event: Inspector.StepAsked) -> None:
        view = self.desk.text_view
        view.cursor = (view.cursor or 0) + event.by

    @on(Inspector.Left)
    def back_to_text(self) -> None:
        self.set_focus(self.desk.text_view)

    @on(Inspector.ForkAsked)
    def fork_asked(self, event: Inspector.ForkAsked) -> None:
        self.tell(self.desk.fork(event.position, event.token_id, self._new_seed))

    def tell(self, words: str) -> None:
        """A line for the user, if there is something to say."""
        if words:
            self.app.clear_notifications()  # only the last one matters; a pile of them would hide the text
            self.notify(visible(words), markup=False, timeout=3)

    def look(self) -> None:
        """Show the character under the cursor as it is predicted under the controls of now."""
        if not self.inspecting:
            return
        page, cursor = self.desk.writer.page, self.desk.text_view.cursor
        if page is None or cursor is None:
            self.inspector.finding = None
            return
        position, note = cursor - len(page.prime), ""
        found = None
        if position < 0:
            note = "this is of the prime, which was given: p changes it"
        elif position < len(page):
            distribution = page.distribution_at(position, self.desk.settings.sampling)
            found = Inspection(position, page.ids[position], distribution)
        self.inspector.finding = Finding(page.vocabulary, found, note)

    def action_inspect(self) -> None:
        inspecting = not self.inspecting
        self.set_class(inspecting, "-inspecting")
        self.desk.text_view.show_cursor = inspecting
        if inspecting:
            self.set_focus(self.desk.text_view)
            self.look()
        else:
            self.inspector.asking = False
            self.focus_controls()
        self.refresh_bindings()

    def action_leave_inspector(self) -> None:
        self.action_inspect()

    def action_find_symbol(self) -> None:
        if not self.inspecting:
            self.action_inspect()
        self.inspector.ask_symbol()

    def action_edit_text(self) -> None:
        """The line under the cursor or, without one, the line that is being written."""
        branch, view = self.desk.branches.current, self.desk.text_view
        if branch is None:
            self.tell("there is no text yet")
            return
        page = branch.page
        text = page.text
        cursor = len(text) if view.cursor is None or not self.inspecting else view.cursor - len(page.prime)
        if cursor < 0:
            self.desk.prime_field.edit()
            return
        start = text.rfind("\n", 0, cursor) + 1
        end = text.find("\n", cursor)
        line = text[start : len(text) if end < 0 else end]

        def edited(answer: str | None) -> None:
            if answer is not None and answer != line:
                self.desk.branches.turn_to(branch)  # from which a replay may have turned in the meantime
                self.desk.turn_to_current()
                self.tell(self.desk.edit(start, answer, self._new_seed))

        from charrnn_tui.tui.dialogs.edit_text import EditText  # not before it is shown

        self.app.push_screen(EditText(line, cursor - start, page.vocabulary), edited)

    def action_sibling(self, by: int) -> None:
        if self.desk.branches.sibling(by) is None:
            self.tell("there is no other branch beside this one")
        self.desk.turn_to_current()

    def action_tree(self) -> None:
        from charrnn_tui.tui.dialogs.branch_list import BranchList  # not before it is shown

        self.app.push_screen(BranchList(self.desk.branches), self._branch_chosen)

    def _branch_chosen(self, branch: Branch | None) -> None:
        if branch is not None:
            self.desk.branches.turn_to(branch)
        self.desk.turn_to_current()

    def action_bookmark(self) -> None:
        branch = self.desk.branches.current
        if branch is not None:
            branch.bookmarked = not branch.bookmarked
            self.tell(f"{'bookmarked' if branch.bookmarked else 'no longer bookmarked'}: {branch.origin}")

    def action_delete(self) -> None:
        branch = self.desk.branches.current
        if branch is not None and self.desk.branches.delete(branch):
            self.tell(f"deleted: {branch.origin}; u brings it back")
            self.desk.turn_to_current()
        else:
            self.tell("this is the only text there is")

    def action_undo(self) -> None:
        self.tell(self.desk.branches.undo() or "nothing to undo")
        self.desk.turn_to_current()

    def action_redo(self) -> None:
        self.tell(self.desk.branches.redo() or "nothing to do again")
        self.desk.turn_to_current()

    def action_colours(self) -> None:
        """The next mode; after the last one none."""
        from charrnn_tui.tui.textview.surprise import MODES  # NumPy: the first frame is there before it

        self._colour_mode = self._colour_mode + 1 if self._colour_mode + 1 < len(MODES) else -1
        self.desk.sheet.colour(MODES[self._colour_mode] if self._colour_mode >= 0 else None)
