"""Where a text ends before it has reached its length: behind a string, or with a number of lines."""

from dataclasses import dataclass, replace
from typing import Literal

from charrnn_tui.text.byte_text import in_bytes
from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary

End = Literal["length", "until", "lines"]


@dataclass(frozen=True)
class Stop:
    """until: the text ends behind the first of these strings. lines: it ends with this many line feeds, at least 1.

    Only written characters count: a string that begins in the prime does not end a text, and the first line is the rest
    of the prime's last one. Raises ValueError for an empty string and for fewer lines.
    """

    until: tuple[str, ...] = ()
    lines: int | None = None

    def for_alphabet(self, vocabulary: Vocabulary) -> "Stop":
        """The same in the characters of a model: in bytes, where these are its characters."""
        return replace(self, until=tuple(map(in_bytes, self.until))) if vocabulary.of_bytes else self

    def __post_init__(self) -> None:
        if not all(self.until):
            raise ValueError("until is empty, it must be at least one character")
        if self.lines is not None and self.lines < 1:
            raise ValueError(f"lines is {self.lines}, it must be 1 or more")

    def end_of(self, text: str) -> End:
        """Why a text that was written under this ended where it does."""
        if text.endswith(self.until):
            return "until"
        return "lines" if self.lines is not None and text.count("\n") >= self.lines else "length"

    def ends(self, text: str) -> bool:
        """Whether a text ends where this ends it, and not before."""
        watch = StopWatch(self)
        return next((place for place, one in enumerate(text, 1) if watch.ends_with(one)), None) == len(text)


NEVER = Stop()


def check_stop(stop: Stop, vocabulary: Vocabulary) -> None:
    """Raise ValueError for what a model with this alphabet can never write."""
    for end in stop.until:
        if unknown := vocabulary.unknown(in_bytes(end) if vocabulary.of_bytes else end):
            raise ValueError(f"until {end!r} would never be written: {UnknownCharacters(unknown)}")
    if stop.lines is not None and "\n" not in vocabulary.index:
        raise ValueError("lines: this model writes no lines: there is no line feed in its alphabet")


class StopWatch:
    """Follows a text character by character, to say where it ends."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._longest = max(map(len, stop.until), default=0)
        self._tail = ""  # the last characters, as many as the longest string has
        self._lines_left = stop.lines

    def ends_with(self, character: str) -> bool:
        """Take the next character; whether the text ends with it."""
        if self._longest:
            self._tail = (self._tail + character)[-self._longest :]
            if self._tail.endswith(self._stop.until):
                return True
        if self._lines_left is not None and character == "\n":
            self._lines_left -= 1
            return self._lines_left == 0
        return False
