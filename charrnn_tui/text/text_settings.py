"""How the files of a text are read: their encoding, and what is left out of them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from charrnn_tui.text.text_file import CorpusError

RARE: Final = "\N{REPLACEMENT CHARACTER}"  # stands for every rare character


@dataclass(frozen=True)
class TextSettings:
    """encoding: a name that Python knows. skip_head, skip_tail: characters left out at the beginning and at the end.

    min_count: characters that occur less often than this in what is left become RARE. alphabet: characters that are in
    the text's alphabet whether they occur or not, and come first in it, in this order. weights: `3,1`: how often an
    epoch of a training reads each file; "" is once.
    """

    encoding: str = "utf-8"
    skip_head: int = 0
    skip_tail: int = 0
    min_count: int = 1
    alphabet: str = ""
    weights: str = ""

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None) -> "TextSettings":
        """Those among the settings of a training, as JSON; what is missing has its default."""
        given = settings or {}
        return cls(**{name: given[name] for name in cls.__dataclass_fields__ if given.get(name) is not None})

    @property
    def changes(self) -> dict[str, int]:
        """What makes another text of the same characters, for JSON; empty where nothing does."""
        given = {"skip_head": self.skip_head, "skip_tail": self.skip_tail, "min_count": self.min_count}
        return {name: value for name, value in given.items() if value != getattr(AS_IT_IS, name)}

    @property
    def said(self) -> str:
        """Such as `without the first 712 and the last 18,412 characters`; "" where the text is as it is."""
        ends = (("first", self.skip_head), ("last", self.skip_tail))
        named = " and ".join(f"the {which} {count:,}" for which, count in ends if count)
        rare = f"{RARE} for those that occur less than {self.min_count:,} times" if self.min_count > 1 else ""
        return ", ".join(filter(None, [f"without {named} characters" if named else "", rare]))

    @property
    def key(self) -> str:
        """Different for settings that may make another text of the same files."""
        first = [hashlib.sha256(self.alphabet.encode("utf-8", "surrogatepass")).hexdigest()] if self.alphabet else []
        return "-".join(map(str, (self.encoding, self.skip_head, self.skip_tail, self.min_count, *first)))

    def ordered(self, characters: Iterable[str]) -> tuple[str, ...]:
        """The alphabet of a text with these characters: `alphabet`, then what is not in it, in the order given."""
        return (*self.alphabet, *(char for char in characters if char not in self.alphabet))

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


AS_IT_IS: Final = TextSettings()
