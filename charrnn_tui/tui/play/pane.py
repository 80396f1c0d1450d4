"""What the playground writes, on the screen: the prime, the text, and a line of figures."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.playground import (
    Happened,
    MarkAdded,
    ModelChanged,
    Playground,
    PrimeChanged,
    State,
    TextShown,
)
from charrnn_tui.tui.keys import names_of
from charrnn_tui.tui.play.next_character import NextCharacter
from charrnn_tui.tui.play.play_status import status_of
from charrnn_tui.tui.play.prime_field import PrimeField
from charrnn_tui.tui.static_line import show_line
from charrnn_tui.tui.textview.lens import Lens, LensLegend, Page
from charrnn_tui.tui.textview.text_view import TextView

DRAW_SECONDS: Final = 1 / 20
WRITE_SECONDS: Final = 1 / 100  # between two slices of writing at unlimited speed
BUDGET_SECONDS, UNLIMITED_BUDGET_SECONDS = 0.015, 0.008  # of writing in a slice: no key waits longer
FAST: Final = 60  # chars/s from which the parts beside the text are drawn less often
BARS_EVERY, STATUS_EVERY, TEXT_EVERY = (2, 4), (5, 10), (1, 2)  # draws between two updates: slow text, fast text


class PlaygroundPane(Vertical):
    """Drives a playground by one timer and draws it, each part as often as it is worth its bandwidth."""

    def __init__(
        self,
        playground: Playground,
        jobs: Jobs,
        next_character: NextCharacter,
        on_happened: Callable[[Happened], None],
    ) -> None:
        """next_character: shows the distribution. on_happened: called with each fact after this widget has drawn it."""
        super().__init__()
        self.playground = playground
        self.prime_field = PrimeField(jobs)
        self.text_view = TextView(id="play-text")
        self._next_character, self._on_happened = next_character, on_happened
        self._legend = LensLegend()
        self._status = Static("", id="play-status", markup=False)
        self.lens: Lens | None = None
        """What the colours of the text mean; None: it has none."""
        self._not_drawn: list[str] = []  # new characters
        self._ticks = self._draws = 0
        self._timer: Timer | None = None
        self._seconds = 0.0  # between two ticks
        self._paused = False

    def compose(self) -> ComposeResult:
        yield self.prime_field
        yield self.text_view
        yield self._legend
        yield self._status

    def on_unmount(self) -> None:
        self.playground.close()

    @property
    def legend(self) -> TextView | None:
        """The scale of the colours, while the text is coloured."""
        return self._legend.scale if self.lens is not None else None

    def update(self) -> None:
        """Show the playground as it is now, such as after a key."""
        if self.is_mounted and self.is_attached:  # not any more while the app ends
            self._poll()
            self._draw(at_once=True)
            self._set_timer()

    def pause(self) -> None:
        """Stop writing and drawing while another screen is shown."""
        self._paused = True
        self._set_timer()

    def resume(self) -> None:
        self._paused = False
        self.playground.resume()
        self.update()

    def look_through(self, lens: Lens | None) -> None:
        """Colour the text by a lens, or by none."""
        self.lens = lens
        self.set_class(lens is not None, "-coloured")
        self.text_view.colour_classes = None if lens is None else partial(self._classes_of, lens)
        if lens is not None:
            self._legend.show_lens(lens)
            self.show_figures()

    def refresh_lens(self, start: int = 0, end: int | None = None) -> None:
        """Draw the characters [start, end) again, whose colours have changed, and the figures."""
        self.text_view.refresh_characters(start, self.text_view.length if end is None else end)
        self.show_figures(look=False)

    @on(PrimeField.Changed)
    def prime_changed(self, event: PrimeField.Changed) -> None:
        event.stop()
        self.playground.change_prime(event.prime)
        self.update()

    # -- the timer ----------------------------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        """Run as often as the state asks for; not at all if nothing changes by itself."""
        state, unlimited = self.playground.state, self.playground.writer.speed is None
        if self._paused or state in (State.RESTING, State.NO_MODEL):
            seconds = 0.0
        elif state is State.REPLAYING or (state is State.WRITING and unlimited):
            seconds = WRITE_SECONDS
        else:
            seconds = DRAW_SECONDS
        if seconds != self._seconds:
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_interval(seconds, self._tick, name="playground") if seconds else None
            self._seconds = seconds

    def _tick(self) -> None:
        self._poll()
        unlimited = self.playground.writer.speed is None
        self._not_drawn.append(self.playground.advance(UNLIMITED_BUDGET_SECONDS if unlimited else BUDGET_SECONDS))
        self._ticks += 1
        if self._seconds == DRAW_SECONDS or self._ticks % round(DRAW_SECONDS / WRITE_SECONDS) == 0:
            self._draw()
        if self.playground.state in (State.RESTING, State.NO_MODEL):
            self._draw(at_once=True)
        self._set_timer()

    def _poll(self) -> None:
        for fact in self.playground.poll():
            match fact:
                case TextShown():
                    self._show_text(fact)
                case ModelChanged():
                    self.prime_field.model = fact.model
                case PrimeChanged():
                    self.prime_field.prime = fact.prime
                case MarkAdded():
                    self.text_view.add_mark(*fact.mark)
            self._on_happened(fact)

    # -- drawing ------------------------------------------------------------------------------------------------------

    def _show_text(self, shown: TextShown) -> None:
        writer, view = self.playground.writer, self.text_view
        self._not_drawn.clear()
        cursor, row = view.cursor, None if view.following else view.scroll_offset.y
        view.set_text(writer.prime + writer.text, prime_length=len(writer.prime))
        if shown.keep_place and row is not None:
            view.show_row(row)
        if shown.keep_place:
            view.cursor = cursor
        for mark in shown.branch.marks:
            view.add_mark(*mark)

    def _draw(self, *, at_once: bool = False) -> None:
        playground, writer = self.playground, self.playground.writer
        self._draws += not at_once
        fast = writer.speed is None or writer.speed >= FAST
        very_fast = writer.speed is None or writer.speed > 4 * FAST
        if at_once or self._draws % TEXT_EVERY[very_fast] == 0:
            self.text_view.append("".join(self._not_drawn))
            self._not_drawn.clear()
        if at_once or self._draws % BARS_EVERY[fast] == 0:
            distribution = playground.distribution
            if distribution is not None and writer.sampler is not None:
                self._next_character.show(distribution, writer.sampler.vocabulary)
        if writer.writing != self.text_view.busy:
            self.text_view.busy = writer.writing
            self.screen.refresh_bindings()
            at_once = True
        waiting_for, problem = playground.status, playground.problem
        if at_once or problem or waiting_for or self._draws % STATUS_EVERY[fast] == 0:
            self.show_figures()
            self._status.set_class(bool(problem), "-problem")
            go_on = names_of(getattr(self.app, "keymap", {}).get("play.go_on", "g"))
            show_line(
                self._status,
                problem or status_of(writer, waiting_for, self._status.content_size.width, go_on),
                layout=bool(problem),
            )

    def show_figures(self, *, look: bool = True) -> None:
        """Beside the legend of the lens, if one is on: what it says about the page as it is now.

        look: whether it may compute what it does not know yet.
        """
        text, view = self.playground.writer.generated, self.text_view
        if self.lens is not None and text is not None:
            page = Page(text, view.selected, view.cursor if view.show_cursor else None)
            if look:
                self.lens.look(page)
            self._legend.show_figures(self.lens.figures(page))

    def _classes_of(self, lens: Lens, start: int, end: int) -> Sequence[int]:
        text = self.playground.writer.generated
        return () if text is None else lens.classes(text, start, end)
