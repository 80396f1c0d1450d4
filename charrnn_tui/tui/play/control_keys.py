"""Keys for sampling controls that act from anywhere on a screen, whichever pane has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.screen import Screen

from charrnn_tui.playground.controls import BIG_STEP

if TYPE_CHECKING:
    from charrnn_tui.tui.play.sampling_controls import SamplingControls


def control_keys(screen: str) -> list[Binding]:
    """screen: what the ids of the keys begin with."""
    return [
        Binding("up", "choose(-1)", "Control above", show=False, id=f"{screen}.control_above"),
        Binding("down", "choose(1)", "Control below", show=False, id=f"{screen}.control_below"),
        Binding("left", "change(-1)", "Change", show=False, id=f"{screen}.change_left"),
        Binding("right", "change(1)", "Change", show=False, id=f"{screen}.change_right"),
        Binding("shift+left,ctrl+left", f"change(-{BIG_STEP})", "Big step", show=False, id=f"{screen}.big_left"),
        Binding("shift+right,ctrl+right", f"change({BIG_STEP})", "Big step", show=False, id=f"{screen}.big_right"),
        Binding("enter", "type_value", "Type a value", show=False, id=f"{screen}.type_value"),
        Binding("backspace", "reset_control", "Default", show=False, id=f"{screen}.default"),
    ]


class ControlKeys(Screen[None]):
    """A screen with controls on it; it takes `control_keys` into its own."""

    controls: SamplingControls

    def focus_controls(self) -> None:
        """Or nothing, on a terminal too small to show them."""
        self.set_focus(self.controls if self.controls.focusable else None)

    def action_choose(self, by: int) -> None:
        self.controls.choose(by)

    def action_change(self, by: int) -> None:
        self.controls.change(by)

    def action_type_value(self) -> None:
        self.controls.type_value()

    def action_reset_control(self) -> None:
        self.controls.reset()
