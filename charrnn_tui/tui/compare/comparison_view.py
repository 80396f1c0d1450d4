"""Two sides of a comparison, marked where they differ, scrolled together, and a line about both."""

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.timer import Timer
from textual.widgets import Static

from charrnn_tui.playground.comparison import Comparison
from charrnn_tui.tui.compare.side_pane import SidePane
from charrnn_tui.tui.textview.visible import symbol_of

DRAW_SECONDS: Final = 1 / 30


class ComparisonView(Vertical):
    """Polls a comparison while it writes, and draws it."""

    def __init__(self, comparison: Comparison, on_sliders: Callable[[], None]) -> None:
        """on_sliders: called when a slider has come or gone."""
        super().__init__()
        self.comparison = comparison
        self.sides = [SidePane(side, self._scroll_both) for side in comparison.sides]
        self._on_sliders = on_sliders
        self._sliding = [False, False]
        self._status = Static("", id="side-status", markup=False)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Container(id="sides"):
            yield from self.sides
        yield self._status

    def on_mount(self) -> None:
        self._timer = self.set_interval(DRAW_SECONDS, self._poll, name="comparison")
        self.comparison.write()
        self.update()

    def on_unmount(self) -> None:
        self.comparison.close()

    def pause(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def update(self) -> None:
        """Show the comparison as it is now, and poll until its texts are written."""
        comparison, shared = self.comparison, self.comparison.shared
        for pane in self.sides:
            controls, settings = comparison.differing_controls, pane.side.settings
            differing = "".join(f" · {control.name} {control.shown(settings)}" for control in controls)
            pane.draw(shared, comparison.linked or pane.side is comparison.side, differing)
        if self._status.content != (status := status_of(comparison)):
            self._status.update(status, layout=False)
        sliding = [side.stage is not None for side in comparison.sides]
        if sliding != self._sliding:
            self._sliding = sliding
            self._on_sliders()
        if self._timer is not None:
            self._timer.resume()

    def scroll_page(self, where: str) -> None:
        """Scroll both texts: pageup, pagedown, home, end."""
        view = max((pane.view for pane in self.sides), key=lambda view: view.max_scroll_y)
        top, height = view.scroll_offset.y, view.text_area_size.height
        tops = {"pageup": top - height, "pagedown": top + height, "home": 0, "end": view.max_scroll_y}
        view.show_row(tops[where])

    def show_difference(self) -> None:
        """Scroll to the first difference."""
        shared, shown = self.comparison.shared, self.comparison.sides[0].shown
        if shared is not None and shown is not None:
            self.sides[0].view.show_position(len(shown.prime) + shared)

    def _scroll_both(self, row: int) -> None:
        for pane in self.sides:
            pane.view.follow_to(row)

    def _poll(self) -> None:
        if self.comparison.poll():
            self.update()
        if not self.comparison.busy:
            self.pause()


def status_of(comparison: Comparison) -> str:
    """Where the texts differ, their surprise, and which side the keys act on."""
    one, other = comparison.sides
    acting = "linked" if comparison.linked else f"{comparison.side.letter} alone"
    if not (one.text and other.text and one.shown and other.shown):
        return acting
    bits, shared = f"{one.shown.bits_per_char:.2f} | {other.shown.bits_per_char:.2f} bits/char", comparison.shared
    if shared is None:
        same = "same text" if len(one.text) == len(other.text) else "same as far as both go"
        return f"{same}, {min(len(one.text), len(other.text)):,} characters · {bits} · {acting}"
    differing = f"{symbol_of(one.text[shared])} | {symbol_of(other.text[shared])}"
    return f"part at character {shared + 1:,}: {differing} ({shared:,} in common) · {bits} · {acting}"
