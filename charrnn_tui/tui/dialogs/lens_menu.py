"""The menu of lenses: what the colours of the text are to mean."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList

from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.textview.lens import Lens

NO_LENS: Final = "none"
STUDIES: Final = "studies"


class LensMenu(Dialog[str | None]):
    """Gives the name of a lens, NO_LENS for no colours, STUDIES for those of the model, or None to change nothing."""

    HELP = "What the colours of the text mean; each lens has a legend below the text."

    KEYS: ClassVar[tuple[Key, ...]] = (Key("l", "dismiss(None)", "Close", "Close the menu.", "lenses.close"),)
    BINDINGS = bindings_of(KEYS)

    def __init__(self, lenses: Sequence[Lens], chosen: Lens | None) -> None:
        super().__init__()
        self._lenses, self._chosen = lenses, chosen
        self._list = ChoiceList[str]("lenses", "Enter chooses  Esc closes")

    def compose(self) -> ComposeResult:
        yield self._list

    def on_mount(self) -> None:
        lines = [(NO_LENS, f"{NO_LENS:<13}the text without colours")]
        lines += [(lens.name, f"{lens.name:<13}{lens.about}") for lens in self._lenses]
        lines.append((STUDIES, f"{STUDIES:<13}of the model: memory, gates, surprise (I)"))
        self._list.fill(lines, self._chosen.name if self._chosen is not None else NO_LENS)

    @property
    def highlighted(self) -> str | None:
        """The name under the bar."""
        return self._list.value

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._list.value_of(event.option))
