"""A text to train on: read from files, encoded, split."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

import numpy as np

from charrnn_tui.text.array_cache import ArrayCache
from charrnn_tui.text.batches import split_at
from charrnn_tui.text.byte_text import ALL_BYTES, BYTES
from charrnn_tui.text.text_file import CorpusError, TextFile, sha256_of
from charrnn_tui.text.text_names import files_of, name_of
from charrnn_tui.text.text_settings import AS_IT_IS, TextSettings
from charrnn_tui.text.text_source import TextSource
from charrnn_tui.text.vocabulary import Ids, UnknownCharacters, Vocabulary, code_points

CACHED_FROM_BYTES = 32 << 20  # a shorter text is encoded in less time than checking its cached ids would save


@dataclass(frozen=True)
class Corpus:
    """An encoded text, or a part of one.

    ids: shape (characters,), the vocabulary's dtype, read-only; a mapped file for a long text. sha256: of the files'
    bytes, one after the other, as `cat FILES | sha256sum` prints it. spans: begin, end and weight of each file in the
    text, where these have weights.
    """

    name: str
    ids: Ids
    vocabulary: Vocabulary
    sha256: str
    spans: tuple[tuple[int, int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def split(self, val_frac: float) -> tuple[Ids, Ids]:
        """Training and validation ids, the first `1 - val_frac` and the rest (notebook cell 30)."""
        boundary = split_at(len(self.ids), val_frac)
        return self.ids[:boundary], self.ids[boundary:]

    def weighted_training_ids(self, val_frac: float) -> Ids:
        """What an epoch reads: the training ids, of files with weights so often one after the other.

        Rounds over the files, each of those whose weight is not used up; in memory, if there are weights.
        """
        train = self.split(val_frac)[0]
        rounds = range(max((weight for *_, weight in self.spans), default=1))
        if len(rounds) == 1:
            return train
        return np.concatenate(
            [train[begin:end] for past in rounds for begin, end, weight in self.spans if weight > past]
        )


class TextChanged(ValueError):
    """The second pass over a text read other characters than the first."""


def load_corpus(
    paths: Sequence[str | Path],
    settings: TextSettings = AS_IT_IS,
    cache: Path | None = None,
    cached_from_bytes: int = CACHED_FROM_BYTES,
) -> Corpus:
    """Read, join and encode text files, in the order given. Raises CorpusError.

    A text of `cached_from_bytes` or more is encoded into a file in the directory `cache`, if one is given, and mapped:
    memory stays at tens of megabytes, and the next call only hashes the text. Else the ids take one byte a character
    for an alphabet of up to 256, two for a larger one.
    """
    files = [TextFile(path, settings.encoding) for path in paths]
    sha256, source = sha256_of(files), TextSource(files, settings)
    try:
        if cache is not None and sum(file.size for file in files) >= cached_from_bytes:
            ids, vocabulary = _encode_into(ArrayCache(cache), source, f"{sha256}-{settings.key}")
        else:
            ids, vocabulary = encode_source(source)
        if any(file.changed() for file in files):
            raise TextChanged
    except (TextChanged, UnknownCharacters):
        names = ", ".join(str(file.path) for file in files if file.changed()) or "the text"
        raise CorpusError(f"{names}: has changed while it was read; try again") from None
    return Corpus(name_of(paths), ids, vocabulary, sha256, _spans(files, settings, len(ids)))


def _spans(files: Sequence[TextFile], settings: TextSettings, length: int) -> tuple[tuple[int, int, int], ...]:
    """Begin, end and weight of each file in the text; none without weights. Reads the files. Raises CorpusError."""
    if not settings.weights:
        return ()
    weights = [int(weight) for weight in settings.weights.split(",")]
    if len(weights) != len(files):
        raise CorpusError(f"--weights {settings.weights}: {len(weights)} for {len(files)} files; give each one")
    ends = accumulate((sum(map(len, file.texts())) for file in files), initial=-settings.skip_head)
    edges = [min(max(0, end), length) for end in ends]
    return tuple(zip(edges, edges[1:], weights, strict=False))


def encode_source(source: TextSource) -> tuple[Ids, Vocabulary]:
    """The ids of a text's characters, and their alphabet: sorted, behind that of the settings. Raises CorpusError."""
    alphabet, length = _alphabet_of_source(source)
    vocabulary = Vocabulary(source.settings.ordered(alphabet))
    return encode_text(source.texts(), vocabulary, length), vocabulary


def alphabet_of(texts: Iterable[str]) -> tuple[list[str], int]:
    """The sorted characters of a text given in pieces, and its length in characters."""
    latin, present, length = b"", np.zeros(sys.maxunicode + 1, np.bool_), 0
    for text in texts:
        length += len(text)
        try:  # three times as fast: drop the characters seen before
            new = text.encode("latin-1").translate(None, latin)
        except UnicodeEncodeError:
            present[code_points(text)] = True
        else:
            latin += bytes(set(new))
    return sorted({*latin.decode("latin-1"), *map(chr, np.flatnonzero(present).tolist())}), length


def encode_text(texts: Iterable[str], vocabulary: Vocabulary, length: int) -> Ids:
    """The ids of a text of this length, shape (length,), read-only (notebook cell 4).

    Raises TextChanged, UnknownCharacters where it is another text than the one the alphabet was collected from.
    """
    ids, end = np.empty(length, vocabulary.dtype), 0
    for text in texts:
        start, end = end, end + len(text)
        if end > length:
            break
        ids[start:end] = vocabulary.encode(text)
    if end != length:
        raise TextChanged
    ids.flags.writeable = False
    return ids


def read_text(path: str | Path, encoding: str = "utf-8") -> str:
    """The text of one file, newlines universal, byte-order mark dropped. Raises CorpusError."""
    return "".join(TextFile(path, encoding).texts())


def read_as_trained(path: str | Path, encoding: str, facts: Mapping[str, Any]) -> tuple[str, TextSettings]:
    """The text of a file, a directory or a pattern, and which of its characters are left out.

    facts: of a model. If it was trained on this very text, by the SHA-256, what its training left out at the ends is
    left out here, too, and its rare characters are replaced. Raises CorpusError.
    """
    files = [TextFile(file, encoding) for file in files_of([str(path)], encoding).files]
    settings = TextSettings(encoding)
    trained = replace(TextSettings.of(facts.get("settings")), encoding=encoding)
    if trained != settings and facts.get("corpus_sha256") == sha256_of(files):
        settings = trained
    return "".join(TextSource(files, settings).texts()), settings


def _alphabet_of_source(source: TextSource) -> tuple[list[str], int]:
    of_bytes = source.settings.encoding == BYTES
    alphabet, length = (list(ALL_BYTES), sum(map(len, source.texts()))) if of_bytes else alphabet_of(source.texts())
    if not length:
        names = ", ".join(str(file.path) for file in source.files)
        raise CorpusError(f"{names}: the file is empty; there is nothing to learn from")
    return alphabet, length


def _encode_into(cache: ArrayCache, source: TextSource, key: str) -> tuple[Ids, Vocabulary]:
    """The ids of these files from the cache, encoded and stored there first where it has none."""
    found = cache.find(key)
    if found is None:
        vocabulary = Vocabulary(source.settings.ordered(_alphabet_of_source(source)[0]))
        pieces, note = map(vocabulary.encode, source.texts()), "".join(vocabulary.tokens)
        return cast(Ids, cache.put(key, vocabulary.dtype, pieces, note)), vocabulary
    return cast(Ids, found[0]), Vocabulary(found[1])
