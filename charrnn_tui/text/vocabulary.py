"""The alphabet of a model: which character has which id."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.text.byte_passes import look_up

Ids = NDArray[
    np.unsignedinteger
]  # token ids, one per character, in the smallest unsigned dtype that holds the alphabet

# The code points of some characters: bytes where all of them are below 256, uint16 where all are below 65,536.
Codes = bytes | NDArray[np.uint16] | NDArray[np.uint32]

_CHUNK = 1 << 20  # characters encoded at once: bounds the scratch memory of a long text to a few megabytes


class UnknownCharacters(ValueError):
    """A text holds characters outside the alphabet; `positions` maps each to where it stands (0-based)."""

    def __init__(self, positions: Mapping[str, list[int]]) -> None:
        self.positions = positions
        super().__init__(f"not in the model's alphabet: {_named(positions)}")


def _named(positions: Mapping[str, list[int]], most: int = 5) -> str:
    """One clause a character, at most five of them: "'é' (U+00E9) at 3, 17 and 4 more"."""
    clauses = []
    for char, places in list(positions.items())[:most]:
        shown = ", ".join(str(place) for place in places[:most])
        rest = f" and {len(places) - most} more" if len(places) > most else ""
        clauses.append(f"{char!a} (U+{ord(char):04X}) at position {shown}{rest}")
    if len(positions) > most:
        others = len(positions) - most
        clauses.append(f"and {others} other character{'s' if others > 1 else ''}")
    return "; ".join(clauses)


def id_dtype(size: int) -> np.dtype[np.unsignedinteger]:
    """The smallest unsigned dtype that can number `size` tokens."""
    return np.dtype(np.min_scalar_type(max(size - 1, 0)))


def codes_of(text: str) -> Codes:
    """The code points of a text, in the smallest form that holds them: bytes are looked up some four times as fast."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        pass
    codes = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype="<u2")
    if len(codes) == len(text):
        return codes
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


class Vocabulary:
    """Characters numbered by their place in `tokens` (notebook cell 4, but the same order in every process)."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """Keep the tokens in the order given: a checkpoint's order is the checkpoint's.

        Raises ValueError where a token is not one character, stands twice, or there is none.
        """
        self.tokens = tuple(tokens)
        if not self.tokens:
            raise ValueError("the alphabet is empty")
        for token in self.tokens:
            if not isinstance(token, str) or len(token) != 1:
                raise ValueError(f"a token must be one character, not {token!r}")
        if len(self.index) != len(self.tokens):
            raise ValueError("a character stands twice among the tokens")

    @classmethod
    def of(cls, characters: Iterable[str]) -> "Vocabulary":
        """The sorted alphabet of a text or of any other collection of characters."""
        return cls(sorted(set(characters)))

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

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The dtype of the ids: uint8 up to 256 tokens, uint16 up to 65,536."""
        return id_dtype(len(self))

    @cached_property
    def _table(self) -> NDArray[np.int32]:
        """Code point to id, -1 for a stranger; all larger code points are clipped onto the one extra entry."""
        codes = np.array([ord(token) for token in self.tokens])
        table = np.full(int(codes.max()) + 2, -1, dtype=np.int32)
        table[codes] = np.arange(len(self), dtype=np.int32)
        return table

    @cached_property
    def _bytes_table(self) -> bytes:
        """Code point to id for those below 256, where ids are bytes; 0 for a stranger."""
        table = bytearray(256)
        for number, token in enumerate(self.tokens):
            if ord(token) < 256:
                table[ord(token)] = number
        return bytes(table)

    @cached_property
    def _narrow(self) -> bytes:
        """The tokens below code point 256."""
        return "".join(self.tokens).encode("latin-1", "ignore")

    def encode(self, text: str) -> Ids:
        """Ids of the characters, shape (len(text),), dtype `self.dtype`. Raises UnknownCharacters."""
        ids = np.empty(len(text), dtype=self.dtype)
        for start in range(0, len(text), _CHUNK):
            codes = codes_of(text[start : start + _CHUNK])
            if not self.knows(codes):
                raise UnknownCharacters(self.unknown(text))
            ids[start : start + len(codes)] = self.ids_of(codes)
        return ids

    def knows(self, codes: Codes) -> bool:
        """Whether all of these characters are in the alphabet."""
        if isinstance(codes, bytes):
            return not codes.translate(None, self._narrow)
        return bool((self._table.take(codes, mode="clip") >= 0).all())

    def ids_of(self, codes: Codes) -> Ids:
        """`encode` for code points that are all known. The array may be read-only."""
        if isinstance(codes, bytes):
            if self.dtype == np.uint8:
                return look_up(codes, self._bytes_table)
            codes = np.frombuffer(codes, np.uint8).astype(np.uint32)
        return self._table.take(codes, mode="clip").astype(self.dtype)

    def encode_known(self, text: str) -> Ids:
        """Like `encode`, but what is not in the alphabet is left out."""
        pieces = [found[found >= 0].astype(self.dtype) for _, found in self._lookups(text)]
        return np.concatenate(pieces or [np.empty(0, self.dtype)])

    def unknown(self, text: str) -> dict[str, list[int]]:
        """The characters of the text that have no id, each with its positions, in order of appearance."""
        positions: dict[str, list[int]] = {}
        for start, found in self._lookups(text):
            for place in np.flatnonzero(found < 0).tolist():
                positions.setdefault(text[start + place], []).append(start + place)
        return positions

    def decode(self, ids: Iterable[int] | Ids) -> str:
        """The characters of the ids. Raises IndexError for an id outside the alphabet."""
        return "".join([self.tokens[number] for number in ids])

    def _lookups(self, text: str) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Ids of a piece at a time, -1 for a stranger, with where the piece begins."""
        for start in range(0, len(text), _CHUNK):
            codes = text[start : start + _CHUNK].encode("utf-32-le", "surrogatepass")
            yield start, self._table.take(np.frombuffer(codes, dtype="<u4"), mode="clip")
