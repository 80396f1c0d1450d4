"""What is seen of a text in the making: its characters, in colours where they are asked for, and a line of figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from charrnn_tui.tui.play.next_character import outlook_of
from charrnn_tui.tui.play.play_status import PlayStatus, activity_of, figures_of
from charrnn_tui.tui.textview.surprise_legend import SurpriseLegend
from charrnn_tui.tui.textview.text_view import TextView

if TYPE_CHECKING:
    from charrnn_tui.playground.writer import Writer
    from charrnn_tui.tui.play.next_character import Outlook
    from charrnn_tui.tui.textview.surprise import ColourMode

FAST: Final = 60  # chars/s from which on what stands beside the text is drawn less often
OUTLOOK_BEATS, STATUS_BEATS, TEXT_BEATS = (2, 4), (5, 10), (1, 2)  # beats between two drawings: slow, fast text
_MOST_CANDIDATES: Final = 12


class Sheet(Vertical):
    """Draws what a writer writes, each part as often as it is worth its bandwidth."""

    DEFAULT_CSS = """
    Sheet {
        height: 1fr;
        & > TextView { height: 1fr; padding: 0 0 0 1; scrollbar-background: $background; }
        & > SurpriseLegend { display: none; }
        &.-coloured > SurpriseLegend { display: block; }
    }
    """

    @dataclass
    class StateChanged(Message):
        """It is being written on now, or no longer."""

        writing: bool

    @dataclass
    class Foreseen(Message):
        """What may come next."""

        outlook: Outlook

    def __init__(self, writer: Writer, tell: Callable[[Message], object]) -> None:
        """tell: posts a message for whoever has this drawn; its own would go no further than to its parent."""
        super().__init__()
        self._tell = tell
        self.text_view = TextView(id="play-text")
        self._writer = writer
        self._legend = SurpriseLegend()
        self._status = PlayStatus()
        self._colours: ColourMode | None = None
        self._unshown: list[str] = []
        self._beats = 0

    def compose(self) -> ComposeResult:
        yield self.text_view
        yield self._legend
        yield self._status

    def show_page(self, marks: Iterable[tuple[int, str]], *, stays: bool) -> None:
        """Show the page in hand, from its end on, or where the reader is."""
        writer, view = self._writer, self.text_view
        self._unshown.clear()
        cursor, row = view.cursor, None if view.following else view.scroll_offset.y
        view.set_text(writer.prime + writer.text, prime_length=len(writer.prime))
        if stays and row is not None:
            view.show_row(row)
        if stays:
            view.cursor = cursor
        for mark in marks:
            view.add_mark(*mark)

    def put(self, characters: str) -> None:
        """These are new; they are seen when the text is drawn next."""
        self._unshown.append(characters)

    def colour(self, mode: ColourMode | None) -> None:
        """Show what the model thought of each character, or no longer."""
        self._colours = mode
        self.set_class(mode is not None, "-coloured")
        self.text_view.style_of = None if mode is None else partial(self._steps_of, mode)
        if mode is not None:
            self._legend.show_mode(mode)
            self._show_figures()

    @property
    def legend(self) -> TextView | None:
        """What the colours mean, while there are any."""
        return self._legend.scale if self._colours is not None else None

    def draw(self, waiting_for: str, problem: str, *, at_once: bool = False) -> None:
        """Called at each beat, and at once where somebody has asked for something."""
        writer = self._writer
        self._beats += not at_once
        fast = writer.speed is None or writer.speed >= FAST
        very_fast = writer.speed is None or writer.speed > 4 * FAST
        if at_once or self._beats % TEXT_BEATS[very_fast] == 0:
            self.text_view.append("".join(self._unshown))
            self._unshown.clear()
        if writer.sampler is not None and (at_once or self._beats % OUTLOOK_BEATS[fast] == 0):
            outlook = outlook_of(writer.sampler.distribution, writer.sampler.vocabulary, _MOST_CANDIDATES)
            self._tell(self.Foreseen(outlook))
        if writer.writing != self.text_view.busy:
            self.text_view.busy = writer.writing
            self._tell(self.StateChanged(writer.writing))
            at_once = True
        if at_once or problem or waiting_for or self._beats % STATUS_BEATS[fast] == 0:
            self._show_figures()
            words = (figures_of(writer), activity_of(writer, waiting_for))
            self._status.show(problem or " · ".join(word for word in words if word), problem=bool(problem))

    def _show_figures(self) -> None:
        """Beside the colours: of the selected part of the page, or of all of it."""
        page, view = self._writer.page, self.text_view
        if self._colours is not None and page is not None:
            start, end = view.selected or (0, view.length)
            primed = len(page.prime)
            self._legend.show_figures(page, max(0, start - primed), min(len(page), max(0, end - primed)))

    def _steps_of(self, mode: ColourMode, start: int, end: int) -> list[int]:
        from charrnn_tui.tui.textview.surprise import classes_of  # NumPy: the first frame is there before it

        return classes_of(mode, self._writer.page, start, end)
