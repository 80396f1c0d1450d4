"""Where the text is written: prime, text and status, driven by a beat that leaves the keys their time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.timer import Timer

from charrnn_tui.tui.branches import Branch, Branches
from charrnn_tui.tui.model_feed import ModelFeed
from charrnn_tui.tui.model_source import LoadedModel
from charrnn_tui.tui.play_settings import DEFAULTS, KNOBS, SAMPLING_FIELDS, SEED
from charrnn_tui.tui.preparation import Prepared
from charrnn_tui.tui.widgets.next_character import outlook_of
from charrnn_tui.tui.widgets.play_status import PlayStatus, activity_of, figures_of
from charrnn_tui.tui.widgets.prime_field import PrimeField
from charrnn_tui.tui.widgets.surprise_legend import SurpriseLegend
from charrnn_tui.tui.widgets.text_view import TextView
from charrnn_tui.tui.writer import Writer

if TYPE_CHECKING:
    from charrnn_tui.tui.active_run import ActiveRun
    from charrnn_tui.tui.model_source import ModelSource
    from charrnn_tui.tui.play_settings import Knob, PlaySettings
    from charrnn_tui.tui.widgets.next_character import Outlook
    from charrnn_tui.tui.widgets.surprise import ColourMode
    from charrnn_tui.tui.world import World

BEAT_SECONDS: Final = 1 / 20
BEAT_BUDGET: Final = 0.015  # seconds of writing in a beat: no key waits longer
SPRINT_SECONDS: Final = 1 / 100
SPRINT_BUDGET: Final = 0.008
FAST: Final = 60  # chars/s from which on what stands beside the text is drawn less often
OUTLOOK_BEATS, STATUS_BEATS, TEXT_BEATS = (2, 4), (5, 10), (1, 2)  # beats between two drawings: slow, fast text
_MOST_CANDIDATES: Final = 12


class WritingDesk(Vertical):
    """Writes with the feed's model under the given settings; asks the feed for another start where one is needed."""

    DEFAULT_CSS = """
    WritingDesk {
        & > TextView { height: 1fr; padding: 0 0 0 1; scrollbar-background: $background; }
        & > SurpriseLegend { display: none; }
        &.-coloured > SurpriseLegend { display: block; }
    }
    """

    settings: Reactive[PlaySettings] = reactive(DEFAULTS, init=False, repaint=False)

    @dataclass
    class ModelChanged(Message):
        """Another model writes, or newer weights of the same one."""

        model: LoadedModel

    @dataclass
    class StateChanged(Message):
        """It writes now, or has stopped."""

        writing: bool

    @dataclass
    class Turned(Message):
        """Another page is shown: one that has just begun, or one from before. stays: the reader's place is the same."""

        branch: Branch
        stays: bool = False

    @dataclass
    class Foreseen(Message):
        """What may come next."""

        outlook: Outlook

    def __init__(
        self,
        world: World,
        active_run: Callable[[], ActiveRun | None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__()
        self.feed = ModelFeed(world, active_run, clock)
        self.writer = Writer(clock)
        self.prime_field = PrimeField()
        self.text_view = TextView(id="play-text")
        self.branches = Branches()
        self._clock = clock
        self._legend = SurpriseLegend()
        self._colours: ColourMode | None = None
        self._status = PlayStatus()
        self._problem = ""
        self.prime_is_typed = False  # until then the model may suggest one
        self._told_writing = False
        self._unshown: list[str] = []
        self._beats = 0
        self._beat: Timer | None = None
        self._sprint: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.prime_field
        yield self.text_view
        yield self._legend
        yield self._status

    def on_mount(self) -> None:
        self._beat = self.set_interval(BEAT_SECONDS, self._on_beat, name="beat")
        self._sprint = self.set_interval(SPRINT_SECONDS, self._on_sprint, name="sprint", pause=True)
        self._apply(self.settings)

    def on_unmount(self) -> None:
        self.feed.close()

    # -- what the screen asks for -------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """Prime and written text, raw."""
        return self.writer.prime + self.writer.text

    def open(self, source: ModelSource | None) -> None:
        """Open a model, the newest where it is not said which, and write."""
        self._wait()
        self.feed.open(source, self._prime)

    def use(self, model: LoadedModel) -> None:
        """Write with a model that is open."""
        self._wait()
        self.feed.use(model, self._prime)

    def start_over(self) -> None:
        """From the prime again, with the seed of the settings."""
        model = self.feed.model
        if self.feed.live or (self.writer.page is not None and self.writer.page.mixed):
            self._wait()
            self.feed.start_over(self._prime)
        elif not self.feed.words and model is not None and self.writer.sampler is not None:
            self.writer.restart(self.settings.seed)
            self._started(model, f"seed {self.settings.seed}")

    def go_on(self) -> None:
        self.writer.go_on()
        self._awake()

    def stop(self) -> None:
        self.writer.stop()
        self._awake()

    def colour(self, mode: ColourMode | None) -> None:
        """Show what the model thought of each character, or no longer."""
        self._colours = mode
        self.set_class(mode is not None, "-coloured")
        self.text_view.style_of = None if mode is None else partial(self._steps_of, mode)
        if mode is not None:
            self._legend.show_mode(mode)
        self._draw(at_once=True)

    @property
    def legend(self) -> TextView | None:
        """What the colours mean, while there are any."""
        return self._legend.scale if self._colours is not None else None

    def pause(self) -> None:
        """Nobody sees the text: leave the machine to others."""
        for timer in (self._beat, self._sprint):
            if timer is not None:
                timer.pause()

    def resume(self) -> None:
        """Somebody looks again."""
        if self.feed.model is None and not self.words:
            self.open(None)
        self.feed.resume()
        self.writer.wake()
        self._awake()

    # -- what happens --------------------------------------------------------------------------------------------------

    def watch_settings(self, before: PlaySettings, settings: PlaySettings) -> None:
        self._apply(settings)
        changed = [knob for knob in KNOBS if knob.value(before) != knob.value(settings)]
        if changed:
            self.settings_changed(changed)
        self._draw(at_once=True)

    def settings_changed(self, changed: Sequence[Knob]) -> None:
        """What is sampled with acts on the next character; another seed starts over."""
        for knob in changed:
            if knob.field in SAMPLING_FIELDS:
                self._mark(f"{knob.name} {knob.shown(self.settings)}")
        if SEED in changed:
            self.start_over()

    def adopt(self, settings: PlaySettings) -> None:
        """Take settings on that belong to the page in hand: nothing is marked or written again."""
        self.set_reactive(WritingDesk.settings, settings)
        self._apply(settings)
        self._draw(at_once=True)

    @on(PrimeField.Changed)
    def prime_changed(self, event: PrimeField.Changed) -> None:
        event.stop()
        self.prime_is_typed = True
        if self.feed.model is not None or self.feed.words:
            self._wait()
            self.feed.start_over(event.prime)

    @property
    def words(self) -> str:
        """What is being waited for; empty: nothing."""
        return self.feed.words

    @property
    def _prime(self) -> str | None:
        return self.prime_field.prime if self.prime_is_typed else None

    def _apply(self, settings: PlaySettings) -> None:
        writer = self.writer
        if writer.settings != settings.sampling:
            writer.settings = settings.sampling
        if writer.speed != settings.speed:
            writer.speed = settings.speed
            writer.wake()
        if writer.length != settings.length:
            writer.set_length(settings.length)
        self._awake()

    def _wait(self) -> None:
        """The text in hand has no future; it stays until another one starts."""
        self.writer.stop()
        self._problem = ""
        self._awake()

    def _awake(self) -> None:
        if self._beat is None or self._sprint is None or not self.screen.is_current:
            return
        self._beat.resume()
        if self.writer.writing and self.writer.speed is None:
            self._sprint.resume()

    def _on_beat(self) -> None:
        self._beats += 1
        self._look_at_feed()
        if self.writer.speed is not None:
            self._write(BEAT_BUDGET)
        self._draw()
        if not self.writer.writing and not self.words and self._beat is not None:
            self._draw(at_once=True)
            self._beat.pause()

    def _on_sprint(self) -> None:
        if self.writer.writing and self.writer.speed is None:
            self._write(SPRINT_BUDGET)
        elif self._sprint is not None:
            self._sprint.pause()

    def _look_at_feed(self) -> None:
        try:
            came = self.feed.look(self.writer.writing)
        except ValueError as error:
            self._problem = str(error)
            return
        if isinstance(came, Prepared):
            self._begin(came)
        elif isinstance(came, LoadedModel):
            self.writer.change_model(came.network)
            self.prime_field.model = came
            self._mark(f"weights of step {came.step}")
            if self.branches.current is not None:
                self.branches.current.model = came
            self.post_message(self.ModelChanged(came))

    def _begin(self, prepared: Prepared) -> None:
        self._problem = ""
        self.prime_field.model = prepared.model
        if not self.prime_is_typed:
            self.prime_field.prime = prepared.prime
        self.writer.begin(prepared.sampler, prepared.read, self.settings.seed)
        self._started(prepared.model, "start")
        self.post_message(self.ModelChanged(prepared.model))

    def _started(self, model: LoadedModel, origin: str) -> None:
        assert self.writer.page is not None
        self.branches.grow(Branch(self.writer.page, model, origin))
        self.show_page()

    def show_page(self, *, stays: bool = False) -> None:
        """Show the page in hand, from its end on, or where the reader is."""
        branch, view = self.branches.current, self.text_view
        assert branch is not None
        self._unshown.clear()
        self._problem = ""
        cursor, row = view.cursor, None if view.following else view.scroll_offset.y
        view.set_text(self.text, prime_length=len(self.writer.prime))
        if stays and row is not None:
            view.show_row(row)
        if stays:
            view.cursor = cursor
        for mark in branch.marks:
            view.add_mark(*mark)
        self._awake()
        self.post_message(self.Turned(branch, stays))

    def _write(self, budget_seconds: float) -> None:
        try:
            self._unshown.append(self.writer.advance(budget_seconds))
        except ValueError as error:
            self._problem = str(error)

    def _mark(self, label: str) -> None:
        branch = self.branches.current
        mark = branch.mark(label, self._clock()) if branch is not None else None
        if mark is not None:
            self.text_view.add_mark(*mark)

    def _steps_of(self, mode: ColourMode, start: int, end: int) -> list[int]:
        from charrnn_tui.tui.widgets.surprise import classes_of  # NumPy: the first frame is there before it

        return classes_of(mode, self.writer.page, start, end)

    def _draw(self, *, at_once: bool = False) -> None:
        """Each part as often as it is worth its bandwidth."""
        writer = self.writer
        fast = writer.speed is None or writer.speed >= FAST
        very_fast = writer.speed is None or writer.speed > 4 * FAST
        if at_once or self._beats % TEXT_BEATS[very_fast] == 0:
            self.text_view.append("".join(self._unshown))
            self._unshown.clear()
        if writer.sampler is not None and (at_once or self._beats % OUTLOOK_BEATS[fast] == 0):
            outlook = outlook_of(writer.sampler.distribution, writer.sampler.vocabulary, _MOST_CANDIDATES)
            self.post_message(self.Foreseen(outlook))
        if writer.writing != self._told_writing:
            self._told_writing = self.text_view.busy = writer.writing
            self.post_message(self.StateChanged(writer.writing))
            at_once = True
        if at_once or self._problem or self.words or self._beats % STATUS_BEATS[fast] == 0:
            words = (figures_of(writer), activity_of(writer, self.words))
            if self._colours is not None and writer.page is not None:
                self._legend.show_figures(writer.page, *self._selected())
            self._status.show(self._problem or " · ".join(word for word in words if word), problem=bool(self._problem))

    def _selected(self) -> tuple[int, int]:
        """The selected part of the page, or all of it."""
        start, end = self.text_view.selected or (0, self.text_view.length)
        primed = len(self.writer.prime)
        return max(0, start - primed), min(self.writer.count, max(0, end - primed))
