"""How the files of a text are read: their encoding, and what is left out at its ends."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from charrnn_tui.text.text_file import CorpusError


@dataclass(frozen=True)
class TextSettings:
    """encoding: a name that Python knows. skip_head, skip_tail: characters left out at the beginning and at the end."""

    encoding: str = "utf-8"
    skip_head: int = 0
    skip_tail: int = 0

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None) -> "TextSettings":
        """Those among the settings of a training, as JSON; what is missing has its default."""
        given = settings or {}
        return cls(**{name: given[name] for name in cls.__dataclass_fields__ if given.get(name) is not None})

    @property
    def skipped(self) -> dict[str, int]:
        """What is left out at the ends, for JSON; empty where nothing is."""
        return {"skip_head": self.skip_head, "skip_tail": self.skip_tail} if self.skip_head or self.skip_tail else {}

    @property
    def left_out(self) -> str:
        """Such as `without the first 712 and the last 18,412 characters`; "" where nothing is left out."""
        ends = (("first", self.skip_head), ("last", self.skip_tail))
        named = " and ".join(f"the {which} {count:,}" for which, count in ends if count)
        return f"without {named} characters" if named else ""

    @property
    def key(self) -> str:
        """Different for settings that may make another text of the same files."""
        return "-".join(map(str, (self.encoding, self.skip_head, self.skip_tail)))

    def part_of(self, texts: Iterable[str]) -> Iterator[str]:
        """The pieces of a text without its ends, in memory for the end that is left out and one piece.

        Raises CorpusError where nothing is left.
        """
        head, tail = self.skip_head, self.skip_tail
        if not head and not tail:
            yield from texts
            return
        length, held, some = 0, "", False  # held: what may belong to the end
        for text in texts:
            length += len(text)
            held += text[max(0, head - length + len(text)) :]
            if len(held) > tail:
                some = True
                yield held[: len(held) - tail]
                held = held[len(held) - tail :]
        if length and not some:
            raise CorpusError(
                f"the text has {length:,} characters: --skip-head {head} and --skip-tail {tail} leave none of them"
            )
