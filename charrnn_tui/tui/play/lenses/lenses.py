"""The lenses of the playground, one of which may be on, and their keys."""

from collections.abc import Callable
from typing import Final

from charrnn_tui.playground.activations import Activations
from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.controls import PIN, REPLAY, PlayControl, Value
from charrnn_tui.playground.copies import Copies
from charrnn_tui.playground.deciding import Deciders
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.playground import NO_TEXT
from charrnn_tui.playground.unit_ranking import UnitRanker
from charrnn_tui.sampling.pins import Pin
from charrnn_tui.tui.dialogs.lens_menu import STUDIES, LensMenu
from charrnn_tui.tui.dialogs.unit_finder import UnitFinder
from charrnn_tui.tui.inside.studies import ModelStudies
from charrnn_tui.tui.keys import Key
from charrnn_tui.tui.play.lenses.copied_lens import CopiedLens
from charrnn_tui.tui.play.lenses.deciding_lens import DecidingLens
from charrnn_tui.tui.play.lenses.quantities import QUANTITIES
from charrnn_tui.tui.play.lenses.unit_lens import UnitLens
from charrnn_tui.tui.play.pane import PlaygroundPane
from charrnn_tui.tui.textview.lens import Lens

UNIT_KEYS: Final = (
    Key("j", "lens('step', 1)", "Next unit", "Show the next unit of the network.", "play.unit_after", footer=True),
    Key("k", "lens('step', -1)", "Unit before", "Show the unit before.", "play.unit_before", footer=True),
    Key("J", "lens('step_layer', 1)", "Layer", "Show the same unit of the next layer.", "play.unit_layer", footer=True),
    Key(
        "f",
        "lens('find')",
        "Find",
        "Find the units that follow quotations, lines or words.",
        "play.unit_find",
        footer=True,
    ),
    Key(
        "P",
        "lens('pin')",
        "Pin",
        "Hold the unit high, then low, then not; the text is written again.",
        "play.unit_pin",
        footer=True,
    ),
)
LENS_KEYS: Final = (
    Key("c", "lens('next')", "Colours", "Colour the text by another quantity, or not.", "play.colours"),
    Key("l", "lens('choose')", "Lens", "Choose what the colours of the text mean.", "play.lens", footer=True),
    Key("I", "lens('study')", "Look inside", "Study the model: its memory, its gates, its surprise.", "play.inside"),
)


class Lenses:
    """Its methods without an underscore are what the keys call."""

    def __init__(
        self,
        pane: PlaygroundPane,
        backend: Backend,
        jobs: Jobs,
        set_control: Callable[[PlayControl, Value], None],
        notify: Callable[[str], None],
    ) -> None:
        """set_control: as if the user had set one of the playground's controls."""
        self._pane, self._backend, self._jobs = pane, backend, jobs
        self._set_control, self._notify = set_control, notify
        self._ranker: UnitRanker | None = None
        self._studies = ModelStudies(backend, jobs)
        activations, deciders = Activations(jobs, self._computed), Deciders(jobs, self._computed)
        copies = Copies(jobs, backend, self._computed, notify)
        self._computing = activations, deciders, copies
        self._unit = UnitLens(activations)
        copied = CopiedLens(copies, lambda: pane.playground.model)
        self._lenses = [*QUANTITIES, self._unit.lens, DecidingLens(deciders).lens, copied.lens]

    @property
    def lens(self) -> Lens | None:
        """The one that is on."""
        return self._pane.lens

    def next(self) -> None:
        """The next quantity; after the last one none."""
        place = QUANTITIES.index(self.lens) + 1 if self.lens in QUANTITIES else 0
        self._turn_on(QUANTITIES[place] if place < len(QUANTITIES) else None)

    def choose(self) -> None:
        """Show the menu of lenses."""

        def chosen(name: str | None) -> None:
            if name == STUDIES:
                self.study()
            elif name is not None:
                self._turn_on(next((lens for lens in self._lenses if lens.name == name), None))

        self._pane.app.push_screen(LensMenu(self._lenses, self.lens), chosen)

    def study(self) -> None:
        """Look inside the model: a menu of studies, which need no text on the page."""
        if (model := self._pane.playground.model) is None:
            self._notify("there is no model yet to look into")
        else:
            self._pane.app.push_screen(self._studies.menu(model))

    def acts(self, method: str) -> bool:
        """Whether a key that calls this method does anything now."""
        return method in ("next", "choose", "study") or self.lens is self._unit.lens

    def step(self, by: int) -> None:
        """Another unit of the network."""
        if (text := self._pane.playground.writer.generated) is not None:
            self._unit.step(text, by)
            self._pane.refresh_lens()

    def step_layer(self, by: int) -> None:
        """The same unit of another layer."""
        if (text := self._pane.playground.writer.generated) is not None:
            self._unit.step_layer(text, by)
            self._pane.refresh_lens()

    def find(self) -> None:
        """Choose a unit by its number, or from those that follow a property of the text."""
        playground = self._pane.playground
        model = playground.model
        if model is None:
            self._notify(NO_TEXT)
            return
        if self._ranker is None or self._ranker.model is not model:
            self._ranker = UnitRanker(model, self._backend)

        def chosen(unit: tuple[int, int] | None) -> None:
            if unit is not None:
                self._unit.layer, self._unit.unit = unit
                self._pane.refresh_lens()

        self._pane.app.push_screen(
            UnitFinder(self._jobs, self._ranker, playground.text, self._pane.text_view.selected), chosen
        )

    def pin(self) -> None:
        """Hold the unit at its highest activation, at its lowest, or not; the page is written again."""
        settings = self._pane.playground.settings
        pins = {(pin.layer, pin.unit): pin for pin in settings.sampling.pins}
        before = pins.pop(unit := (self._unit.layer, self._unit.unit), None)
        value = 1 if before is None else -1 if before.value > 0 else None
        if value is not None:
            pins[unit] = Pin(*unit, value)
        self._set_control(REPLAY, True)
        self._set_control(PIN, " ".join(map(str, pins.values())) or None)

    def _turn_on(self, lens: Lens | None) -> None:
        for each in self._computing:
            each.forget()
        self._pane.look_through(lens)
        self._pane.screen.refresh_bindings()

    def _computed(self, start: int, end: int) -> None:
        """The lens knows more of these characters than when they were drawn."""
        self._pane.refresh_lens(start, end)
