"""The text of some files as a training reads it, piece by piece and as often as needed."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

from charrnn_tui.text.text_file import CorpusError, TextFile
from charrnn_tui.text.text_settings import RARE, TextSettings
from charrnn_tui.text.vocabulary import code_points


class TextSource:
    """Files that are read one after the other. Whatever reads them raises CorpusError."""

    def __init__(self, files: Sequence[TextFile], settings: TextSettings) -> None:
        self.files, self.settings = files, settings

    def texts(self) -> Iterator[str]:
        """The text without the ends that are left out, with RARE for its rare characters."""
        if self.settings.min_count <= 1 or not self.rare:
            return self._whole()
        rare = re.compile(f"[{re.escape(self.rare)}]")
        return (rare.sub(RARE, text) for text in self._whole())

    @cached_property
    def rare(self) -> str:
        """The characters that occur less than `min_count` times, sorted; a line feed always stays.

        Reads the text. Raises CorpusError where no other character is left.
        """
        least, counts = self.settings.min_count, _counts(self._whole())
        known, rare = np.flatnonzero(counts >= least), np.flatnonzero((counts > 0) & (counts < least))
        if len(rare) and not len(known):
            raise CorpusError(f"--min-count {least}: no character of the text occurs so often")
        return "".join(char for char in map(chr, rare.tolist()) if char != "\n")

    def _whole(self) -> Iterator[str]:
        return self.settings.part_of(text for file in self.files for text in file.texts())


def _counts(texts: Iterable[str]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """How often each code point occurs, up to the largest one."""
    counts = np.zeros(1, np.int64)
    for text in texts:
        found = np.bincount(code_points(text))
        if len(found) > len(counts):
            counts = np.pad(counts, (0, len(found) - len(counts)))
        counts[: len(found)] += found
    return counts
