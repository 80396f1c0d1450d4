"""Two sides and what is said of them: written anew together, marked where they part, scrolled together."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from charrnn_tui.playground.controls import LENGTH, MIN_P, SEED, TEMPERATURE, TOP_K, TOP_P, PlayControl, PlaySettings
from charrnn_tui.playground.models import LoadedModel, ModelSource
from charrnn_tui.playground.rendering import ModelShelf, Rendering, shared_length
from charrnn_tui.tui.compare.compared_text import ComparedText
from charrnn_tui.tui.compare.side_pane import SidePane
from charrnn_tui.tui.compare.training_slider import TrainingSlider
from charrnn_tui.tui.textview.visible import symbol_of

LOOK_SECONDS: Final = 1 / 30
LENGTH_AT_FIRST: Final = 1000
SIDE_CONTROLS: Final = (TOP_K, TEMPERATURE, TOP_P, MIN_P, SEED, LENGTH)
_COMMON: Final = (SEED, LENGTH)  # what is compared has these in common, and the prime


class Comparison(Vertical):
    """One side is chosen; what is asked for acts on that one, or on both where they are linked."""

    DEFAULT_CSS = """
    Comparison {
        height: 1fr;
        & > #sides { height: 1fr; layout: vertical; }
        & SidePane { height: 1fr; }
        & > #side-status { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    class Chosen(Message):
        """Another side, or the same with other settings."""

    def __init__(
        self, shelf: ModelShelf, model: LoadedModel, prime: str, settings: PlaySettings, clock: Callable[[], float]
    ) -> None:
        """Both sides begin with the same model and settings; what is changed first is changed in B."""
        super().__init__()
        self.shelf = shelf
        self.shelf.put(model)
        settings = replace(settings, length=min(settings.length or LENGTH_AT_FIRST, LENGTH_AT_FIRST))
        self.sides = [SidePane(letter, self.shelf, model.source, settings, clock) for letter in "AB"]
        self.linked = False
        self.words = ""
        self._chosen = 1
        self._moments = 0  # at which live weights were taken
        self._prime = prime
        self._compared: Sequence[Rendering | None] = ()
        self._known_shared = 0
        self._status = Static("", id="side-status", markup=False)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Container(id="sides"):
            yield from self.sides
        yield self._status

    def on_mount(self) -> None:
        self._timer = self.set_interval(LOOK_SECONDS, self._look)
        self.write(*self.sides)

    def pause(self) -> None:
        """Nobody looks."""
        if self._timer is not None:
            self._timer.pause()

    def resume(self) -> None:
        if self._timer is not None:
            self._timer.resume()

    @property
    def side(self) -> SidePane:
        """The chosen one."""
        return self.sides[self._chosen]

    @property
    def shared(self) -> int | None:
        """How many characters the texts have in common before they part; None where they do not."""
        (one, other), compared = [side.text for side in self.sides], [side.shown for side in self.sides]
        if compared != self._compared:
            self._compared, self._known_shared = compared, 0
        self._known_shared = shared = shared_length(one, other, self._known_shared)
        return shared if shared < min(len(one), len(other)) else None

    # -- what is asked for ---------------------------------------------------------------------------------------------

    def write(self, *sides: SidePane) -> None:
        """Write these anew."""
        for side in sides:
            side.write(self._prime)
        self._show_words()
        self.resume()

    def choose(self, place: int) -> None:
        """Choose the side that is asked from now on."""
        self._chosen = place
        self._show_words()
        self.post_message(self.Chosen())

    def choose_other(self) -> None:
        self.choose(1 - self._chosen)

    def link(self) -> None:
        """Linked, or no longer; the controls stay as they are until one is changed."""
        self.linked = not self.linked
        self._show_words()

    def take(self, control: PlayControl, settings: PlaySettings) -> None:
        """Give a control the value that it has in these settings."""
        sides = self.sides if self.linked or control in _COMMON else [self.side]
        for side in sides:
            side.settings = control.with_value(side.settings, control.value(settings))
        self.write(*sides)

    def begin_with(self, prime: str) -> None:
        """Write on from another prime, on both sides."""
        if prime != self._prime:
            self._prime = prime
            self.write(*self.sides)

    def reseed(self, seed: int) -> None:
        """Another seed, on both sides."""
        for side in self.sides:
            side.settings = replace(side.settings, seed=seed)
        self.post_message(self.Chosen())
        self.write(*self.sides)

    def swap(self) -> None:
        """A's model and settings to B, B's to A."""
        one, other = self.sides
        one.source, other.source = other.source, one.source
        one.settings, other.settings = other.settings, one.settings
        self.post_message(self.Chosen())
        self.write(one, other)

    def use(self, model: LoadedModel | ModelSource) -> None:
        """Another model, on the chosen side: one that is open, or the weights of now of a run in training."""
        if isinstance(model, LoadedModel):
            self.shelf.put(model)
            self.side.source = model.source
        else:
            self._moments += 1
            self.side.source = replace(model, moment=self._moments)
        self.write(self.side)

    def slide(self, step: int) -> None:
        """To the checkpoint that the run of the chosen side's model has kept of a step."""
        if self.side.slide_to(step):
            self.write(self.side)

    def scroll_page(self, where: str) -> None:
        """Both texts: pageup, pagedown, home, end."""
        view = max((side.view for side in self.sides), key=lambda view: view.max_scroll_y)
        top, height = view.scroll_offset.y, view.text_area_size.height
        tops = {"pageup": top - height, "pagedown": top + height, "home": 0, "end": view.max_scroll_y}
        view.show_row(tops[where])

    def show_difference(self) -> None:
        """Scroll to where they part."""
        shared, side = self.shared, self.sides[0]
        if shared is not None and side.shown is not None:
            side.view.show_position(len(side.shown.prime) + shared)

    @on(ComparedText.Scrolled)
    def scrolled(self, event: ComparedText.Scrolled) -> None:
        event.stop()
        for side in self.sides:
            if side.view is not event.text_view:
                side.view.lead_to(event.row)

    @on(TrainingSlider.StepAsked)
    def step_asked(self, event: TrainingSlider.StepAsked) -> None:
        event.stop()
        self.choose(next(place for place, side in enumerate(self.sides) if side.slider is event.slider))
        self.slide(event.step)

    # -- what is shown -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        sliding = [side.sliding for side in self.sides]
        news = [side.look() for side in self.sides]
        if any(news):
            shared = self.shared
            for side in self.sides:
                side.draw(shared)
            self._show_words()
        if sliding != [side.sliding for side in self.sides]:
            self.screen.refresh_bindings()
        if not any(side.busy for side in self.sides):
            self.pause()

    def _show_words(self) -> None:
        one, other = (side.settings for side in self.sides)
        controls = [control for control in SIDE_CONTROLS if control.value(one) != control.value(other)]
        for side in self.sides:
            differing = "".join(f" · {control.name} {control.shown(side.settings)}" for control in controls)
            side.show_title(self.linked or side is self.side, differing)
        words = [*self._comparison(), "linked" if self.linked else f"{self.side.letter} alone"]
        line = " · ".join(words)
        if line != self.words:
            self.words = line
            self._status.update(line, layout=False)

    def _comparison(self) -> list[str]:
        one, other = self.sides
        if not one.text or not other.text:
            return []
        bits, shared = f"{one.bits_per_char:.2f} | {other.bits_per_char:.2f} bits/char", self.shared
        if shared is None:
            same = "same text" if len(one.text) == len(other.text) else "same as far as both go"
            return [f"{same}, {min(len(one.text), len(other.text)):,} characters", bits]
        parting = f"{symbol_of(one.text[shared])} | {symbol_of(other.text[shared])}"
        return [f"part at character {shared + 1:,}: {parting} ({shared:,} in common)", bits]
