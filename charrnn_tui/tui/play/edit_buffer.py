"""A text that is being edited: cursor, selection, undo. Any character may stand in it.

Textual's TextArea breaks lines wherever `str.splitlines` does and so loses form feeds, U+0085 and U+2028; a prime must
reach the model as it was given.
"""

from dataclasses import dataclass
from typing import Final

EDITS_MOST: Final = 200  # that can be undone


@dataclass(frozen=True)
class Splice:
    """The characters [start, end) gave way to a text."""

    start: int
    end: int
    text: str


@dataclass
class _Edit:
    start: int
    removed: str
    inserted: str
    typed: bool  # a single key's: the next one may join it


class EditBuffer:
    """What changes the text gives the splice, for those who keep something along with it."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.cursor = self.anchor = len(text)
        self._done: list[_Edit] = []
        self._undone: list[_Edit] = []

    @property
    def selection(self) -> tuple[int, int]:
        """[start, end); empty at the cursor where nothing is selected."""
        return min(self.cursor, self.anchor), max(self.cursor, self.anchor)

    @property
    def selected(self) -> str:
        return self.text[slice(*self.selection)]

    @property
    def at_end(self) -> bool:
        """Whether the cursor stands behind the last character, and nothing is selected."""
        return self.cursor == self.anchor == len(self.text)

    def move(self, position: int, *, select: bool = False) -> None:
        """Put the cursor there; with `select` the other end of the selection stays."""
        self.cursor = max(0, min(position, len(self.text)))
        if not select:
            self.anchor = self.cursor
        if self._done:
            self._done[-1].typed = False

    def insert(self, text: str, *, typed: bool = False) -> Splice:
        """In place of the selection. typed: by one key, to be undone with its neighbours."""
        return self._edit(*self.selection, text, typed)

    def delete_to(self, position: int) -> Splice:
        """Delete the selection, or without one what lies between the cursor and there."""
        start, end = self.selection
        if start == end:
            position = max(0, min(position, len(self.text)))
            start, end = min(start, position), max(start, position)
        return self._edit(start, end, "", end - start == 1)

    def replace_all(self, text: str) -> Splice:
        """Another text, which undo takes back."""
        return self._edit(0, len(self.text), text, False)

    def undo(self) -> Splice | None:
        if not self._done:
            return None
        edit = self._done.pop()
        self._undone.append(edit)
        return self._splice(edit.start, edit.start + len(edit.inserted), edit.removed)

    def redo(self) -> Splice | None:
        if not self._undone:
            return None
        edit = self._undone.pop()
        edit.typed = False
        self._done.append(edit)
        return self._splice(edit.start, edit.start + len(edit.removed), edit.inserted)

    def _edit(self, start: int, end: int, text: str, typed: bool) -> Splice:
        removed = self.text[start:end]
        if removed or text:
            self._undone.clear()
            if not (typed and self._joined(start, removed, text)):
                self._done.append(_Edit(start, removed, text, typed))
                del self._done[:-EDITS_MOST]
        return self._splice(start, end, text)

    def _joined(self, start: int, removed: str, text: str) -> bool:
        """Whether the last edit could take this one in: letters of a word, or characters deleted one after another."""
        last = self._done[-1] if self._done else None
        if last is None or not last.typed:
            return False
        if text and not removed and not last.removed and start == last.start + len(last.inserted):
            if text.isspace() or last.inserted[-1:].isspace():
                return False
            last.inserted += text
        elif removed and not text and not last.inserted and start == last.start - len(removed):
            last.start, last.removed = start, removed + last.removed
        elif removed and not text and not last.inserted and start == last.start:
            last.removed += removed
        else:
            return False
        return True

    def _splice(self, start: int, end: int, text: str) -> Splice:
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = self.anchor = start + len(text)
        return Splice(start, end, text)


def line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def word_left(text: str, position: int) -> int:
    """The start of the word before a position."""
    while position and text[position - 1].isspace():
        position -= 1
    start = position
    while start and _same_kind(text[start - 1], text[position - 1]):
        start -= 1
    return start


def word_right(text: str, position: int) -> int:
    """The end of the word behind a position."""
    while position < len(text) and text[position].isspace():
        position += 1
    end = position
    while end < len(text) and _same_kind(text[end], text[position]):
        end += 1
    return end


def _same_kind(one: str, other: str) -> bool:
    return not one.isspace() and one.isalnum() == other.isalnum()
