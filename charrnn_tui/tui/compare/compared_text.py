"""One of two texts side by side: replaced in place, marked where they first differ, scrolled with the other."""

from collections.abc import Callable, Sequence

from textual.geometry import Size
from textual.strip import Strip

from charrnn_tui.playground.branches import Mark
from charrnn_tui.tui.textview.text_view import TextView


class ComparedText(TextView, can_focus=False):
    """Stays where the reader is, whatever is written."""

    def __init__(self, on_scroll: Callable[[int], None]) -> None:
        """on_scroll: called with the row to which the reader has scrolled."""
        super().__init__()
        self._on_scroll = on_scroll
        self._led = False

    def show(self, text: str, *, prime_length: int, marks: Sequence[Mark]) -> None:
        """Show more of the text, or another one; of that only the rows that differ are repainted."""
        self.following = False
        if self.length and prime_length == self.prime_length and text.startswith(self.text):
            self.append(text[self.length :])
            before, self.marks[:] = [*self.marks], marks
            for position, _ in {*before} ^ {*marks}:
                self.refresh_characters(position, position + 1)
        else:
            self._rewrite(text, prime_length, marks)

    def _rewrite(self, text: str, prime_length: int, marks: Sequence[Mark]) -> None:
        before = self._drawn()
        self._rows.clear()
        self._rows.append(text)
        self.marks[:] = marks
        self.set_reactive(TextView.prime_length, prime_length)
        if self.is_attached:
            self._led = True  # where the text has become shorter, the other one stays where it is
            self.virtual_size = Size(self._rows.width, self._rows.row_count)
            self._led = self.following = False
            self._update_scrollbar()
            for y, (old, new) in enumerate(zip(before, self._drawn(), strict=True)):
                if old != new:
                    self._refresh_cells(y + self.scroll_offset.y, 0, self.text_area_size.width)

    def _drawn(self) -> list[Strip]:
        return [self.render_line(y) for y in range(self.text_area_size.height)]

    def follow_to(self, row: int) -> None:
        """Go where the other text's reader is, as far as there is text."""
        self._led = True
        self.show_row(row)
        self._led = False

    def show_position(self, position: int) -> None:
        """Scroll to a character, unless it is on the page."""
        row = self._rows.locate(min(position, self.length)).row
        top, height = self.scroll_offset.y, self.text_area_size.height
        if not top <= row < top + height:
            self.show_row(max(0, row - height // 2))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._led and round(old_value) != round(new_value):
            self._on_scroll(round(new_value))
