"""A list to choose from."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from charrnn_tui.tui.textview.visible import visible

Value = TypeVar("Value")


class ChoiceList(OptionList, Generic[Value]):
    """As Textual's, of values; which fails where a page key comes between the options and their first layout."""

    def __init__(self, title: str = "", subtitle: str = "", *, empty: str = "") -> None:
        """empty: shown where there is nothing to choose."""
        super().__init__(markup=False)
        self.border_title, self.border_subtitle, self._empty = title, subtitle, empty
        self._values: list[Value] = []

    def fill(self, lines: Iterable[tuple[Value, str]], chosen: Value | None = None) -> None:
        """Show a line for each value; the chosen one, or the first, is highlighted."""
        listed = list(lines)
        self._values = [value for value, _ in listed]
        if listed:
            self.set_options(Option(Content(visible(line))) for _, line in listed)
            self.highlighted = self._values.index(chosen) if chosen in self._values else 0
        else:
            self.set_options([Option(self._empty, disabled=True)])

    @property
    def value(self) -> Value | None:
        """The highlighted one."""
        return None if self.highlighted is None else self._values[self.highlighted]

    def value_of(self, option: Option) -> Value | None:
        """None if the list has been filled again since the option was chosen."""
        places = (place for place, listed in enumerate(self.options) if listed is option)
        return next((self._values[place] for place in places), None)

    async def _on_click(self, event: events.Click) -> None:
        """Not on a row that was drawn before the list became shorter."""
        if event.style.meta.get("option", 0) >= self.option_count:
            event.prevent_default()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action.startswith("page_") and not self.scrollable_content_region:
            return False
        return super().check_action(action, parameters)
