"""A text to train on: read from files, encoded, split."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from charrnn_tui.text.batches import split_at
from charrnn_tui.text.byte_passes import COMPILED, WORTH_IT
from charrnn_tui.text.encoding import alphabet_of, encoded
from charrnn_tui.text.ids_cache import IdsCache
from charrnn_tui.text.text_file import CorpusError, TextFile, sha256_of
from charrnn_tui.text.vocabulary import Codes, Ids, Vocabulary

CACHED_FROM_BYTES = 32 << 20  # what is smaller is encoded faster than a cache is looked up


@dataclass(frozen=True)
class Corpus:
    """An encoded text.

    ids: shape (characters,), the vocabulary's dtype; read-only, and for a long text a mapped file. sha256: of the
    files' bytes, one after the other, so that `cat FILES | sha256sum` prints the same.
    """

    name: str
    ids: Ids
    vocabulary: Vocabulary
    sha256: str

    def __len__(self) -> int:
        return len(self.ids)

    def split(self, val_frac: float) -> tuple[Ids, Ids]:
        """Training and validation ids, the first `1 - val_frac` and the rest (notebook cell 30)."""
        boundary = split_at(len(self.ids), val_frac)
        return self.ids[:boundary], self.ids[boundary:]


def load_corpus(paths: Sequence[str | Path], encoding: str = "utf-8", cache: Path | None = None) -> Corpus:
    """Read, join and encode text files, in the order given. Raises CorpusError.

    Takes the ids' memory: a byte a character up to 255 different ones, two above. Of a long text the ids go to a file
    in the directory `cache`, where one is given, and stay there: then it is tens of megabytes, whatever the length, and
    the next call only checks the files' hash.
    """
    files = [TextFile(path, encoding) for path in paths]
    size = sum(file.size for file in files)
    if size >= WORTH_IT:
        COMPILED.begin()
    if cache is not None and size >= CACHED_FROM_BYTES:
        sha256 = sha256_of(files)
        ids, vocabulary = _cached(IdsCache(cache), files, f"{sha256}-{encoding}")
    else:
        with ThreadPoolExecutor(1) as beside:  # hashing leaves the interpreter to others
            hashing = beside.submit(sha256_of, files)
            ids, vocabulary = encode_files(files)
            sha256 = hashing.result()
    for file in files:
        if file.changed():
            raise CorpusError(f"{file.path}: has changed while it was read; try again")
    return Corpus(corpus_name(paths), ids, vocabulary, sha256)


def encode_files(files: Sequence[TextFile]) -> tuple[Ids, Vocabulary]:
    """The ids of the files' characters, one file after the other, and their sorted alphabet. Raises CorpusError."""
    most = sum(file.size for file in files)  # a character takes a byte or more
    ids, alphabet = encoded(_codes(files), most, b"".join(file.sample() for file in files))
    return ids, _vocabulary(files, alphabet)


def corpus_name(paths: Sequence[str | Path]) -> str:
    """What runs on these files are named after: the first file's stem."""
    return Path(paths[0]).stem or "text"


def read_text(path: str | Path, encoding: str = "utf-8") -> str:
    """The text of one file, newlines universal, byte-order mark dropped. Raises CorpusError."""
    return "".join(TextFile(path, encoding).texts())


def _codes(files: Sequence[TextFile]) -> Iterator[Codes]:
    return (codes for file in files for codes in file.codes())


def _vocabulary(files: Sequence[TextFile], alphabet: list[str]) -> Vocabulary:
    if not alphabet:
        names = ", ".join(str(file.path) for file in files)
        raise CorpusError(f"{names}: the file is empty; there is nothing to learn from")
    return Vocabulary(alphabet)


def _cached(cache: IdsCache, files: Sequence[TextFile], key: str) -> tuple[Ids, Vocabulary]:
    """The ids of these files in the cache; put there, in a second pass over the text, where they are not yet."""
    found = cache.find(key)
    if found is None:
        vocabulary = _vocabulary(files, alphabet_of(_codes(files)))
        found = cache.put(key, vocabulary, (_known(vocabulary, codes) for codes in _codes(files))), vocabulary
    return found


def _known(vocabulary: Vocabulary, codes: Codes) -> Ids:
    if not vocabulary.knows(codes):
        raise CorpusError("the text has changed while it was read; try again")
    return vocabulary.ids_of(codes)
