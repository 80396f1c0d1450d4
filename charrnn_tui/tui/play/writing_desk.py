"""Where the text is written: prime, text and status, driven by a beat that leaves the keys their time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.timer import Timer

from charrnn_tui.playground.branches import Branch, BranchTree
from charrnn_tui.playground.controls import CONTROLS, DEFAULTS, SAMPLING_FIELDS, SEED
from charrnn_tui.playground.model_loading import ModelLoader
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.playground.preparation import Prepared
from charrnn_tui.playground.writer import Writer
from charrnn_tui.tui.play.prime_field import PrimeField
from charrnn_tui.tui.play.sheet import Sheet

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.playground.controls import PlayControl, PlaySettings
    from charrnn_tui.playground.models import ModelSource
    from charrnn_tui.run.active_run import ActiveRun

BEAT_SECONDS: Final = 1 / 20
BEAT_BUDGET: Final = 0.015  # seconds of writing in a beat: no key waits longer
SPRINT_SECONDS: Final = 1 / 100
SPRINT_BUDGET: Final = 0.008


class WritingDesk(Vertical):
    """Writes with the feed's model under the given settings; asks the feed for another start where one is needed."""

    settings: Reactive[PlaySettings] = reactive(DEFAULTS, init=False, repaint=False)

    @dataclass
    class ModelChanged(Message):
        """Another model writes, or newer weights of the same one."""

        model: LoadedModel

    @dataclass
    class Turned(Message):
        """Another page is shown: one that has just begun, or one from before. stays: the reader's place is the same."""

        branch: Branch
        stays: bool = False

    def __init__(
        self,
        backend: Backend,
        active_run: Callable[[], ActiveRun | None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__()
        self.feed = ModelLoader(backend, active_run, clock)
        self.writer = Writer(clock)
        self.prime_field = PrimeField()
        self.sheet = Sheet(self.writer, self.post_message)
        self.text_view = self.sheet.text_view
        self.branches = BranchTree()
        self._clock = clock
        self._problem = ""
        self.prime_is_typed = False  # until then the model may suggest one
        self._beat: Timer | None = None
        self._sprint: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.prime_field
        yield self.sheet

    def on_mount(self) -> None:
        self._beat = self.set_interval(BEAT_SECONDS, self._on_beat, name="beat")
        self._sprint = self.set_interval(SPRINT_SECONDS, self._on_sprint, name="sprint", pause=True)
        self.writer.take(self.settings)
        self._awake()

    def on_unmount(self) -> None:
        self.feed.close()

    # -- what the screen asks for -------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """Prime and written text, raw."""
        return self.writer.prime + self.writer.text

    def open(self, model: LoadedModel | ModelSource | None) -> None:
        """Write with this model, opened or not, or with the newest where it is not said which."""
        self._wait()
        if isinstance(model, LoadedModel):
            self.feed.use(model, self._prime)
        else:
            self.feed.open(model, self._prime)

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
        self.writer.take(settings)
        self._awake()
        changed = [knob for knob in CONTROLS if knob.value(before) != knob.value(settings)]
        if changed:
            self.settings_changed(changed)
        self._draw(at_once=True)

    def settings_changed(self, changed: Sequence[PlayControl]) -> None:
        """What is sampled with acts on the next character; another seed starts over."""
        for knob in changed:
            if knob.field in SAMPLING_FIELDS:
                self._mark(f"{knob.name} {knob.shown(self.settings)}")
        if SEED in changed:
            self.start_over()

    def adopt(self, settings: PlaySettings) -> None:
        """Take settings on that belong to the page in hand: nothing is marked or written again."""
        self.set_reactive(WritingDesk.settings, settings)
        self.writer.take(settings)
        self._awake()
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
        branch = self.branches.current
        assert branch is not None
        self._problem = ""
        self.sheet.show_page(branch.marks, stays=stays)
        self._awake()
        self.post_message(self.Turned(branch, stays))

    def _write(self, budget_seconds: float) -> None:
        try:
            self.sheet.put(self.writer.advance(budget_seconds))
        except ValueError as error:
            self._problem = str(error)

    def _mark(self, label: str) -> None:
        branch = self.branches.current
        mark = branch.mark(label, self._clock()) if branch is not None else None
        if mark is not None:
            self.text_view.add_mark(*mark)

    def _draw(self, *, at_once: bool = False) -> None:
        self.sheet.draw(self.words, self._problem, at_once=at_once)
