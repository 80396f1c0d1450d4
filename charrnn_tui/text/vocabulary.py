"""The alphabet of a model: the id of each character."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.text.byte_text import in_bytes, utf8

Ids = NDArray[np.unsignedinteger]  # one token id per character, in the smallest dtype that holds the alphabet

_CHUNK = 1 << 16  # characters looked up at once: as much scratch memory as the processor's cache holds


class UnknownCharacters(ValueError):
    """A text has characters outside the alphabet; `positions` maps each to its 0-based places in the text."""

    def __init__(self, positions: Mapping[str, list[int]], message: str | None = None) -> None:
        """Without a message it names the characters."""
        self.positions = positions
        super().__init__(message or f"not in the model's alphabet: {_named(positions)}")


def _named(positions: Mapping[str, list[int]]) -> str:
    """One clause a character, at most five of them: "'é' (U+00E9) at 3, 17 and 4 more"."""
    clauses, most = [], 5
    for char, places in list(positions.items())[:most]:
        shown = ", ".join(str(place) for place in places[:most])
        rest = f" and {len(places) - most:,} more" if len(places) > most else ""
        clauses.append(f"{char!r} (U+{ord(char):04X}) at position {shown}{rest}")
    if len(positions) > most:
        others = len(positions) - most
        clauses.append(f"and {others} other character{'s' if others > 1 else ''}")
    return "; ".join(clauses)


def code_points(text: str) -> NDArray[np.intp]:
    """The code point of each character, shape (len(text),), as an index into a table."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return points.astype(np.intp)  # NumPy's own conversion within an indexing takes twice as long


class Vocabulary:
    """Characters numbered by their place in `tokens` (notebook cell 4, where the order is random)."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """Keep the tokens in the order given. Raises ValueError unless they are one or more different characters."""
        self.tokens = tuple(tokens)
        if not self.tokens:
            raise ValueError("the alphabet is empty")
        for token in self.tokens:
            if not isinstance(token, str) or len(token) != 1:
                raise ValueError(f"a token must be one character, not {token!r}")
        if len(self.index) != len(self.tokens):
            raise ValueError("a character stands twice among the tokens")

    def __len__(self) -> int:
        return len(self.tokens)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.tokens == other.tokens

    def __hash__(self) -> int:
        return hash(self.tokens)

    def __repr__(self) -> str:
        return f"Vocabulary({''.join(self.tokens)!r})"

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Character to id."""
        return {token: number for number, token in enumerate(self.tokens)}

    @cached_property
    def of_bytes(self) -> bool:
        """Whether its characters are bytes: it has one that stands for a byte, and no other outside ASCII."""
        others = [token for token in self.tokens if not token.isascii()]
        return bool(others) and all("\udc80" <= token <= "\udcff" for token in others)

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The dtype of the ids: uint8 up to 256 tokens, uint16 up to 65,536."""
        return np.dtype(np.min_scalar_type(len(self) - 1))

    @cached_property
    def _table(self) -> Ids:
        """Code point to id, `len(self)` where there is none; larger ones are clipped onto the extra last entry."""
        codes = np.array([ord(token) for token in self.tokens])
        table = np.full(int(codes.max()) + 2, len(self), dtype=np.min_scalar_type(len(self)))
        table[codes] = np.arange(len(self))
        return table

    def encode(self, text: str) -> Ids:
        """Ids of the characters, shape (len(text),), dtype `self.dtype`. Raises UnknownCharacters."""
        ids = np.empty(len(text), dtype=self.dtype)
        for start, found in self._lookups(text):
            if found.max() == len(self):
                raise UnknownCharacters(self.unknown(text))
            ids[start : start + len(found)] = found
        return ids

    def encode_known(self, text: str) -> Ids:
        """Like `encode`, leaving out characters that are not in the alphabet.

        Of an alphabet of bytes: the ids of the text's bytes in UTF-8.
        """
        text = in_bytes(text) if self.of_bytes else text
        pieces = [found[found < len(self)].astype(self.dtype) for _, found in self._lookups(text)]
        return np.concatenate(pieces or [np.empty(0, self.dtype)])

    def encode_marked(self, text: str) -> Ids:
        """Like `encode`, with `len(self)` for characters that are not in the alphabet, in a dtype that holds it."""
        pieces = [found for _, found in self._lookups(text)]
        return np.concatenate(pieces or [np.empty(0, self._table.dtype)])

    def unknown(self, text: str) -> dict[str, list[int]]:
        """The characters of the text that have no id, each with its 0-based positions, in order of appearance."""
        positions: dict[str, list[int]] = {}
        for start, found in self._lookups(text):
            for place in np.flatnonzero(found == len(self)).tolist():
                positions.setdefault(text[start + place], []).append(start + place)
        return positions

    def known_part(self, text: str) -> str:
        """The text without the characters that have no id: what `encode_known` encodes."""
        return self.decode(self.encode_known(text))

    def decode(self, ids: Iterable[int] | Ids) -> str:
        """The characters of the ids. Raises IndexError for an id outside the alphabet."""
        return "".join([self.tokens[number] for number in ids])

    @cached_property
    def byte_lengths(self) -> NDArray[np.int64]:
        """The bytes of each token in UTF-8, (tokens,)."""
        return np.array([len(utf8(token)) for token in self.tokens])

    def _lookups(self, text: str) -> Iterator[tuple[int, Ids]]:
        """For each chunk its start and its ids, `len(self)` for an unknown character."""
        for start in range(0, len(text), _CHUNK):
            yield start, self._table.take(code_points(text[start : start + _CHUNK]), mode="clip")
