"""The lenses of the playground, one of which may be on, and their keys."""

from typing import Final

from charrnn_tui.tui.dialogs.lens_menu import LensMenu
from charrnn_tui.tui.keys import Key
from charrnn_tui.tui.play.lenses.quantities import QUANTITIES
from charrnn_tui.tui.play.pane import PlaygroundPane
from charrnn_tui.tui.textview.lens import Lens

LENS_KEYS: Final = (
    Key("c", "lens('next')", "Colours", "Colour the text by another quantity, or not.", "play.colours"),
    Key("l", "lens('choose')", "Lens", "Choose what the colours of the text mean.", "play.lens", footer=True),
)


class Lenses:
    """Its methods without an underscore are what the keys call."""

    def __init__(self, pane: PlaygroundPane) -> None:
        self._pane = pane
        self._lenses = [*QUANTITIES]

    @property
    def lens(self) -> Lens | None:
        """The one that is on."""
        return self._pane.lens

    def next(self) -> None:
        """The next quantity; after the last one none."""
        place = QUANTITIES.index(self.lens) + 1 if self.lens in QUANTITIES else 0
        self._pane.look_through(QUANTITIES[place] if place < len(QUANTITIES) else None)

    def choose(self) -> None:
        """Show the menu of lenses."""

        def chosen(name: str | None) -> None:
            if name is not None:
                self._pane.look_through(next((lens for lens in self._lenses if lens.name == name), None))

        self._pane.app.push_screen(LensMenu(self._lenses, self.lens), chosen)
