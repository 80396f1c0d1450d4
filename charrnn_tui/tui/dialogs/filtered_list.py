"""A list to choose from by typing a part of a name."""

from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical

from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.text_field import TextField

Value = TypeVar("Value")


class FilteredList(Vertical, Generic[Value]):
    """The field has the focus, and the arrows move in the list; the dialog fills it with what fits the field."""

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("up", "move('cursor_up')", "Up", "The row above.", "list.up"),
        Key("down", "move('cursor_down')", "Down", "The row below.", "list.down"),
        Key("pageup", "move('page_up')", "Page up", "A page up.", "list.pageup"),
        Key("pagedown", "move('page_down')", "Page down", "A page down.", "list.pagedown"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, placeholder: str, empty: str) -> None:
        super().__init__()
        self.field = TextField(placeholder=placeholder)
        self.list = ChoiceList[Value](empty=empty)
        self.list.can_focus = False

    def compose(self) -> ComposeResult:
        yield self.field
        yield self.list

    async def action_move(self, action: str) -> None:
        await self.app.run_action(action, self.list)
