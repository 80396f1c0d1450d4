"""Compressed texts: as if they were not, and refused with the place where they are damaged."""

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn_tui.text import compression
from charrnn_tui.text.corpus import CorpusError, load_corpus, read_text
from charrnn_tui.text.text_file import TextFile, sha256_of

TEXT = "".join(np.random.default_rng(0).choice(list("abcdé \r\n"), size=60_000))
DATA = TEXT.encode()
PLAIN = TEXT.replace("\r\n", "\n").replace("\r", "\n")


def zstd() -> Any:
    try:
        return compression._zstd()
    except ValueError:
        pytest.skip("needs backports.zstd")


def by_zstandard(data: bytes) -> bytes:
    return bytes(zstd().compress(data))


FORMATS = {"gzip": gzip.compress, "Zstandard": by_zstandard}


@pytest.fixture(params=FORMATS)
def compress(request: pytest.FixtureRequest) -> Callable[[bytes], bytes]:
    if request.param == "Zstandard":
        zstd()
    return FORMATS[request.param]


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def refused(path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        read_text(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_compressed_text_is_the_text(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = written(tmp_path / "novel.txt.gz", compress(DATA))
    assert read_text(path) == PLAIN
    corpus = load_corpus([path])
    assert corpus.vocabulary.decode(corpus.ids) == PLAIN
    assert corpus.sha256 == hashlib.sha256(DATA).hexdigest()  # so that a training goes on when its text is compressed
    assert corpus.name == "novel"


def test_streams_may_follow_one_another_and_zeros_fill_a_block(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    parts = [DATA[:100], DATA[100:101], DATA[101:]]
    path = written(tmp_path / "t", b"".join(map(compress, parts)) + bytes(1000))
    assert read_text(path) == PLAIN
    assert sha256_of([TextFile(path)]) == hashlib.sha256(DATA).hexdigest()


def test_what_is_cut_off_is_refused_with_its_length(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    data = compress(DATA)
    for size in (20, len(data) // 2, len(data) - 1):
        message = refused(written(tmp_path / "t", data[:size]))
        assert f"data are cut off at offset {size:,}, the end of the file; get the file again" in message


def test_a_damaged_place_is_named(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(DATA))
    place = len(data) // 2
    data[place : place + 50] = bytes(50)
    message = refused(written(tmp_path / "t", bytes(data)))
    found = re.search(r"between the offsets ([\d,]+) and ([\d,]+) \(", message)
    assert found is not None, message
    begin, end = (int(number.replace(",", "")) for number in found.groups())
    assert end - begin == 4096
    zlib.decompressobj(31).decompress(data[:begin])  # without an error
    with pytest.raises(zlib.error):
        zlib.decompressobj(31).decompress(data[:end])


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(DATA))
    data[-5] ^= 1
    assert "its gzip data are damaged" in refused(written(tmp_path / "t", bytes(data)))


def test_damaged_zstandard_is_refused(tmp_path: Path) -> None:
    data = bytearray(by_zstandard(DATA))
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    assert "its Zstandard data are damaged between" in refused(written(tmp_path / "t", bytes(data)))


def test_zstandard_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    message = refused(written(tmp_path / "t.zst", b"\x28\xb5\x2f\xfd" + bytes(20)))
    assert message.endswith("is compressed with Zstandard: pip install 'charrnn-tui[zst]', or unpack it first")


def test_much_text_in_few_bytes_is_unpacked_piece_by_piece(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = written(tmp_path / "t", compress(b"a" * 20_000_000))
    assert os.path.getsize(path) < 100_000
    pieces = [len(piece) for piece in TextFile(path).pieces()]
    assert (sum(pieces), max(pieces)) == (20_000_000, compression.MOST_BYTES)


def test_a_binary_file_stays_one(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    assert "looks like a binary file" in refused(written(tmp_path / "t", compress(b"\x7fELF\0\0" + DATA)))
