"""A list to choose from."""

from textual.widgets import OptionList


class ChoiceList(OptionList):
    """As Textual's; which fails where a page key comes between the options and their first layout."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action.startswith("page_") and not self.scrollable_content_region:
            return False
        return super().check_action(action, parameters)
