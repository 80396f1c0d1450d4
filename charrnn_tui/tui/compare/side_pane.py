"""One side of a comparison: a model, its controls, its text, and where in its training the model stands."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from charrnn_tui.playground.branches import Mark
from charrnn_tui.playground.controls import PlaySettings
from charrnn_tui.playground.models import LoadedModel, ModelSource
from charrnn_tui.playground.rendering import ModelShelf, Order, Rendering
from charrnn_tui.run.kept_checkpoints import kept_file, step_of_kept
from charrnn_tui.tui.compare.compared_text import ComparedText
from charrnn_tui.tui.compare.training_slider import TrainingSlider
from charrnn_tui.tui.textview.visible import symbol_of, visible

PATIENCE_SECONDS: Final = 0.4  # then what has been written so far is shown
GROWTH_SECONDS: Final = 0.1  # and then what has come since
_MOST_NAMED: Final = 6


class SidePane(Vertical):
    """Asked for a text, it writes it on another thread; asked again meanwhile, it writes the newest next."""

    DEFAULT_CSS = """
    SidePane {
        & > .side-pane--title { height: 1; padding: 0 1; color: $text-muted; }
        & > .side-pane--title { text-wrap: nowrap; text-overflow: ellipsis; }
        &.-chosen > .side-pane--title { text-style: bold; color: $text; background: $boost; }
        & > .side-pane--note { display: none; height: auto; max-height: 2; padding: 0 1; color: $text-warning; }
        &.-noted > .side-pane--note { display: block; }
        &.-problem > .side-pane--note { color: $text-error; text-style: bold; }
        & > TrainingSlider { display: none; }
        &.-sliding > TrainingSlider { display: block; }
    }
    """

    def __init__(
        self, letter: str, shelf: ModelShelf, source: ModelSource, settings: PlaySettings, clock: Callable[[], float]
    ) -> None:
        super().__init__(id=f"side-{letter.lower()}")
        self.letter, self.source, self.settings = letter, source, settings
        self.view = ComparedText()
        self.slider = TrainingSlider()
        self.shown: Rendering | None = None
        self.text = ""
        """Of what is shown as much as there was at the last look, raw, without the prime."""
        self._shelf, self._clock = shelf, clock
        self._title = Static("", classes="side-pane--title", markup=False)
        self._note = Static("", classes="side-pane--note", markup=False)
        self._rendering: Rendering | None = None
        self._wanted: Order | None = None
        self._drawn: Rendering | None = None
        self._due = 0.0

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.view
        yield self._note
        yield self.slider

    def on_unmount(self) -> None:
        if self._rendering is not None:
            self._rendering.abandon()

    def write(self, prime: str) -> None:
        """Write the text of this side anew."""
        order = Order(self.source, prime, self.settings)
        if self._rendering is None:
            self._begin(order)
        else:
            self._wanted = order
            self._rendering.give_way()
        self._show_slider()

    @property
    def sliding(self) -> bool:
        """Whether there are checkpoints to slide through."""
        return self.has_class("-sliding")

    @property
    def busy(self) -> bool:
        return self._rendering is not None

    @property
    def model(self) -> LoadedModel | None:
        """The one that has written what is shown."""
        return self.shown.model if self.shown is not None else None

    @property
    def bits_per_char(self) -> float:
        return self.shown.total_bits / self.shown.count if self.shown is not None and self.shown.count else 0.0

    def look(self) -> bool:
        """See how far the writing is; whether there is anything new to show."""
        rendering = self._rendering
        if rendering is None:
            return False
        if not rendering.done:
            late = self._clock() >= self._due
            news = late and rendering.count > (len(self.text) if self.shown is rendering else 0)
            if news:
                self.shown, self.text = rendering, rendering.text
                self._due = self._clock() + GROWTH_SECONDS
            return news
        self._tell(rendering.problem, rendering.unknown)
        self.shown, self._rendering, wanted, self._wanted = rendering, None, self._wanted, None
        self.text = rendering.text
        if wanted is not None:
            self._begin(wanted)
        self._show_slider()
        return True

    def draw(self, shared: int | None) -> None:
        """Show the text. shared: how many characters it has in common with the other one; None: all that is there."""
        if self.shown is None:
            return
        prime = self.shown.prime
        marks = [] if shared is None else [Mark(len(prime) + shared, "differs")]
        if self._drawn is self.shown and self.view.length:
            self.view.grow(self.text[self.view.length - len(prime) :], marks)
        else:
            self.view.rewrite(prime + self.text if self.text else "", prime_length=len(prime), marks=marks)
        self._drawn = self.shown
        self.view.busy = self.shown is self._rendering

    def show_title(self, chosen: bool, differing: str) -> None:
        """Which model, and in which controls it differs from the other side."""
        model = self.model
        name = model.title if model is not None and model.source == self.source else self.source.label
        self.set_class(chosen, "-chosen")
        self._title.update(visible(f"{'▸' if chosen else ' '}{self.letter} {name}{differing}"), layout=False)

    def slide_to(self, step: int) -> bool:
        """Take the checkpoint of this step of the same run; whether that is another one."""
        run, before = self.source.run, self.source
        if run is not None:
            self.source = ModelSource("kept", kept_file(run, step))
        return self.source != before

    def _begin(self, order: Order) -> None:
        self._due = self._clock() + PATIENCE_SECONDS
        self._rendering = Rendering(order, self._shelf)

    def _tell(self, problem: str, unknown: Sequence[str]) -> None:
        names = ", ".join(map(symbol_of, unknown[:_MOST_NAMED])) + (" …" if len(unknown) > _MOST_NAMED else "")
        note = problem or (f"skipped here, not in this model's alphabet: {names}" if unknown else "")
        self.set_class(bool(problem), "-problem")
        self.set_class(bool(note), "-noted")
        self._note.update(visible(note))

    def _show_slider(self) -> None:
        kept = self.shown.kept if self.shown is not None and self.shown.order.source.run == self.source.run else ()
        self.set_class(bool(kept), "-sliding")
        if not kept:
            return
        model = self.model if self.model is not None and self.model.source == self.source else None
        step = step_of_kept(self.source.path) if self.source.kind == "kept" else kept[-1].step
        if model is not None and model.step is not None:
            step = model.step
        self.slider.show([one.step for one in kept], step, stage_words(step, model.facts if model is not None else {}))


def stage_words(step: int, facts: Mapping[str, Any]) -> list[str]:
    """Where in its training a model stands, the most wanted first. facts: of its file, whoever wrote that."""
    steps, epoch = facts.get("steps"), facts.get("epoch")
    words = [f"step {step:,}" + (f" of {steps:,}" if isinstance(steps, int) else "")]
    if step == 0:
        return [*words, "untrained"]
    if isinstance(epoch, int):
        words.append(f"epoch {epoch}")
    for loss, at in ((facts.get("val_loss"), step), (facts.get("last_val_loss"), facts.get("last_val_step"))):
        if isinstance(loss, int | float) and isinstance(at, int):
            return [*words, f"val {loss:.2f}" + (f" (step {at:,})" if at != step else "")]
    loss = facts.get("loss")
    return [*words, f"loss {loss:.2f}"] if isinstance(loss, int | float) else words
