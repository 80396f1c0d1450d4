"""A list to choose from."""

from textual.widgets import OptionList
from textual.widgets.option_list import Option


class ChoiceList(OptionList):
    """As Textual's; which fails where a page key comes between the options and their first layout."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action.startswith("page_") and not self.scrollable_content_region:
            return False
        return super().check_action(action, parameters)

    def place_of(self, option: Option) -> int | None:
        """Where it stands; None where the list has been filled anew since it was chosen."""
        return next((place for place, listed in enumerate(self.options) if listed is option), None)
