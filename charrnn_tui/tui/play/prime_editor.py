"""The field of the prime: rows while it is edited, one row otherwise, and behind the prime a ghost of what may come."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.strip import Strip

from charrnn_tui.tui.play.edit_buffer import Splice
from charrnn_tui.tui.play.edited_text import BREAK, CURSOR, CURSOR_CELL, sign
from charrnn_tui.tui.play.text_editor import TextEditor
from charrnn_tui.tui.textview.row_painter import PLAIN, Look

ROWS_MOST: Final = 6
GHOST_MOST: Final = 60  # characters
GHOST_STARTS, GHOST_ENDS = "‹", "›"  # what is dim must be told apart without dimness, too
UNKNOWN: Final = "prime-editor--unknown"
GHOST: Final = "prime-editor--ghost"
_SCREEN_SHARE: Final = 4  # a quarter of a small screen
_HINT: Final = "how the text begins"
_LEFT_OUT: Final = " … "


class PrimeEditor(TextEditor):
    """Tab takes the ghost, Ctrl+→ a word of it; without one both do what they do elsewhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", key_display="Esc", id="prime.leave"),
        Binding("enter", "enter", "start over", key_display="Enter", id="prime.enter"),
        Binding("tab", "accept", "take what is foreseen", key_display="Tab", show=False, id="prime.accept"),
        Binding("ctrl+right,f7", "accept_word", "take a word of it", show=False, id="prime.accept_word"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {UNKNOWN, GHOST}
    DEFAULT_CSS = """
    PrimeEditor {
        height: 1;
        & > .prime-editor--unknown { color: $text-error; text-style: reverse underline; }
        & > .prime-editor--ghost { color: $text-muted; text-style: dim italic; }
    }
    """

    known: Reactive[Collection[str] | None] = reactive(None)
    """The characters that the model can read; None: nobody knows."""

    @dataclass
    class Entered(Message):
        """The prime is as it should be."""

    @dataclass
    class Left(Message):
        """The user is done with the field, without asking for anything."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self._editing = False
        self._ghost = ""

    @property
    def editing(self) -> bool:
        """Whether it is spread out and takes the keys."""
        return self._editing

    @property
    def rows_most(self) -> int:
        """How many rows it may take of this screen."""
        return max(1, min(ROWS_MOST, self.screen.size.height // _SCREEN_SHARE))

    @property
    def ghost(self) -> str:
        """What would most likely follow; empty where nobody knows."""
        return self._ghost

    @ghost.setter
    def ghost(self, ghost: str) -> None:
        if ghost == self._ghost:
            return
        self._ghost = ghost
        shown = ghost.replace("\n", sign("\n")) + GHOST_ENDS if ghost else ""
        self.laid_out_from(self._rows.replace(len(self.value) + len(CURSOR_CELL), self._rows.length, shown))

    def _apply(self, splice: Splice | None) -> None:
        """Who types what is foreseen sees the rest of it."""
        super()._apply(splice)
        if splice is not None:
            appended = splice.start == splice.end == len(self.value) - len(splice.text)
            foreseen = appended and self._ghost.startswith(splice.text)
            self.ghost = self._ghost[len(splice.text) :] if foreseen else ""

    def on_focus(self) -> None:
        self._spread(True)

    def on_blur(self) -> None:
        self.ghost = ""
        self._spread(False)

    def _spread(self, editing: bool) -> None:
        self._editing = editing
        self.styles.height = 1
        self._row_count_changed()
        self.refresh()
        self.post_message(self.Changed(text_changed=False))

    def _row_count_changed(self) -> None:
        """Grow with the text, and shrink only when it is left: each other height moves all that lies below."""
        if not self._editing:
            self.virtual_size = Size(self._rows.width, 1)
            self._update_scrollbar()
            return
        height = min(self.rows_most, self._rows.row_count)
        if height > self.size.height:
            self.styles.height = height
        super()._row_count_changed()

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def action_enter(self) -> None:
        self.post_message(self.Entered())

    def action_accept(self) -> None:
        if not self._ghost:
            raise SkipAction  # to the next pane
        self.insert(self._ghost)

    def action_accept_word(self) -> None:
        word = re.match(r"\s*\S*", self._ghost)
        if word is None or not word[0]:
            self.action_move("word_right")
        else:
            self.insert(word[0])

    # -- drawing ------------------------------------------------------------------------------------------------------

    def draw(self, position: int, character: str) -> tuple[str, Look]:
        end = len(self.value)
        if position > end:
            return sign(character), (PLAIN, GHOST)
        glyph, look = super().draw(position, character)
        if position == end:
            return (GHOST_STARTS if self._ghost else glyph), look
        return glyph, self._marked(character, look)

    def _marked(self, character: str, look: Look) -> Look:
        """An unknown character, unless the cursor stands on it."""
        strange = self.known is not None and character not in self.known
        return (PLAIN, UNKNOWN) if strange and CURSOR not in look else look

    def render_line(self, y: int) -> Strip:
        if not self.value and not self._ghost:
            return self._strip([Segment(_HINT, self._palette.style((PLAIN, GHOST)))], cursor=self._editing)
        if self._editing:
            return super().render_line(y)
        runs = groupby(self._one_row(self.page.width), key=lambda cell: cell[1])
        return self._strip(
            [Segment("".join(glyph for glyph, _ in run), self._palette.style(look)) for look, run in runs]
        )

    def _one_row(self, width: int) -> list[tuple[str, Look]]:
        """Beginning and end of the prime, in so many cells."""
        text = self.value
        if len(text) <= width and (whole := self._cells(text)) and _width(whole) <= width:
            return whole
        head, tail = self._cells(text[: width // 3]), self._cells(text[-width:])
        while head and _width(head) > width // 3:
            head.pop()
        room = width - _width(head) - len(_LEFT_OUT)
        while tail and _width(tail) > room:
            tail.pop(0)
        return [*head, (_LEFT_OUT, (PLAIN, GHOST)), *tail]

    def _cells(self, text: str) -> list[tuple[str, Look]]:
        return [
            (sign(character), self._marked(character, (PLAIN, BREAK) if character == "\n" else (PLAIN,)))
            for character in text
        ]

    def _strip(self, segments: list[Segment], *, cursor: bool = False) -> Strip:
        strip = Strip(segments).crop_extend(0, self.scrollable_content_region.width, self._palette.style((PLAIN,)))
        if not cursor:
            return strip
        return Strip.join([strip.crop(0, 1).apply_style(self._palette.style((PLAIN, CURSOR))), strip.crop(1)])


def _width(cells: list[tuple[str, Look]]) -> int:
    return sum(cell_len(glyph) for glyph, _ in cells)
