"""The line above every screen: which screen this is, and the status of the training."""

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from charrnn_tui.tui.train.run_lines import as_fits

SCREENS = (("1", "Train", "train"), ("2", "Play", "play"), ("3", "Runs", "runs"))


class StudioHeader(Widget):
    """Tabs on the left; on the right the status of a run, as many parts of it as there is room for."""

    status: reactive[Sequence[str]] = reactive(())

    def __init__(self, mode: str) -> None:
        """mode: whose tab is marked."""
        super().__init__()
        self._here = mode

    def render(self) -> Content:
        tabs = [
            Content.styled(f" {key} {label} ", "bold reverse" if mode == self._here else "")
            for key, label, mode in SCREENS
        ]
        left = Content("").join(tabs)
        room = self.size.width - left.cell_length - 2
        if room < 8 or not self.status:
            return left
        status = Content(as_fits(self.status, room, " · "))
        return Content.assemble(left, " " * (self.size.width - left.cell_length - status.cell_length - 1), status)

    async def on_click(self, event: events.Click) -> None:
        """Go to the screen of the tab."""
        right = 0
        for key, label, mode in SCREENS:
            right += len(key) + len(label) + 3  # a space before, between and after
            if event.x < right:
                await self.run_action(f"app.show({mode!r})")
                return
