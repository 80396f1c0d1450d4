"""Encoded texts and other arrays on disk: found again, never believed when damaged, never more than allowed."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.text.array_cache import ArrayCache
from charrnn_tui.text.batches import get_batches
from charrnn_tui.text.corpus import Corpus, CorpusError, load_corpus
from charrnn_tui.text.long_text import character_counts
from charrnn_tui.text.text_settings import TextSettings

TEXT = "Happy families are all alike;\r\nevery unhappy family\r\n" * 200 + "Ж"


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "happy.txt"
    path.write_bytes(TEXT.encode())
    return path


def cached(path: Path, cache: Path, encoding: str = "utf-8") -> Corpus:
    return load_corpus([path], TextSettings(encoding), cache, cached_from_bytes=1)


def files_of(cache: Path) -> tuple[Path, Path]:
    (ids_file,), (about,) = cache.glob("*.array"), cache.glob("*.json")
    return ids_file, about


def test_a_cached_text_is_the_text(text_file: Path, tmp_path: Path) -> None:
    plain = load_corpus([text_file])
    for _ in range(2):  # encoded, then found
        found = cached(text_file, tmp_path / "cache")
        assert found.vocabulary == plain.vocabulary
        assert found.sha256 == plain.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
        assert np.array_equal(found.ids, plain.ids)
        assert found.ids.dtype == plain.ids.dtype
        assert not found.ids.flags.writeable


def test_a_text_is_encoded_once(text_file: Path, tmp_path: Path) -> None:
    cached(text_file, tmp_path / "cache")
    ids_file, _ = files_of(tmp_path / "cache")
    written = ids_file.stat().st_ino
    cached(text_file, tmp_path / "cache")
    assert ids_file.stat().st_ino == written


def test_a_short_text_is_not_cached(text_file: Path, tmp_path: Path) -> None:
    load_corpus([text_file], cache=tmp_path / "cache", cached_from_bytes=1 << 20)
    assert not (tmp_path / "cache").exists()


def test_a_changed_text_is_another_one(text_file: Path, tmp_path: Path) -> None:
    cached(text_file, tmp_path / "cache")
    text_file.write_bytes(TEXT.replace("Happy", "Merry").encode())
    assert np.array_equal(cached(text_file, tmp_path / "cache").ids, load_corpus([text_file]).ids)


def test_the_same_bytes_in_another_encoding_are_another_text(text_file: Path, tmp_path: Path) -> None:
    cached(text_file, tmp_path / "cache")
    latin = cached(text_file, tmp_path / "cache", "latin-1")
    assert latin.vocabulary == load_corpus([text_file], TextSettings("latin-1")).vocabulary


def cut(ids_file: Path, about: Path) -> None:
    os.truncate(ids_file, ids_file.stat().st_size // 2)


def flip(ids_file: Path, about: Path) -> None:
    data = bytearray(ids_file.read_bytes())
    data[len(data) // 2] ^= 1
    ids_file.write_bytes(data)


def leave_only_ids(ids_file: Path, about: Path) -> None:
    about.unlink()


def leave_only_the_description(ids_file: Path, about: Path) -> None:
    ids_file.unlink()


def tear_the_description(ids_file: Path, about: Path) -> None:
    about.write_bytes(about.read_bytes()[:30])


def describe_nothing(ids_file: Path, about: Path) -> None:
    about.write_text("[]")


def describe_another_type(ids_file: Path, about: Path) -> None:
    about.write_text(json.dumps(json.loads(about.read_text()) | {"dtype": "letters"}))


def write_as_another_version(ids_file: Path, about: Path) -> None:
    about.write_text(json.dumps(json.loads(about.read_text()) | {"format": 99}))


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        flip,
        leave_only_ids,
        leave_only_the_description,
        tear_the_description,
        describe_nothing,
        describe_another_type,
        write_as_another_version,
    ],
)
def test_what_is_damaged_is_made_anew(text_file: Path, tmp_path: Path, damage) -> None:
    cached(text_file, tmp_path / "cache")
    damage(*files_of(tmp_path / "cache"))
    assert np.array_equal(cached(text_file, tmp_path / "cache").ids, load_corpus([text_file]).ids)
    assert (
        ArrayCache(tmp_path / "cache").find(f"{hashlib.sha256(TEXT.encode()).hexdigest()}-{TextSettings().key}")
        is not None
    )


def test_an_undecodable_text_leaves_nothing_behind(text_file: Path, tmp_path: Path) -> None:
    text_file.write_bytes(b"a" * 600_000 + b"\xe9t\xe9")
    with pytest.raises(CorpusError, match="byte 0xe9 at offset 600000"):
        cached(text_file, tmp_path / "cache")
    assert ArrayCache(tmp_path / "cache").size == 0


def test_a_cache_that_cannot_be_written_is_one_clear_line(text_file: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the directory should be")
    with pytest.raises(CorpusError) as caught:
        cached(text_file, tmp_path / "cache")
    assert str(caught.value).startswith(f"{tmp_path}/cache: the encoded text cannot be kept there: ")
    assert "\n" not in str(caught.value)


def test_a_disk_that_fills_up_is_told_and_what_was_written_goes(tmp_path: Path) -> None:
    def pieces():
        yield np.zeros(1000, np.uint8)
        raise OSError(28, "No space left on device")

    cache = ArrayCache(tmp_path / "cache")
    with pytest.raises(CorpusError, match="No space left on device; make room"):
        cache.put("key", np.dtype(np.uint8), pieces())
    assert cache.size == 0


def test_the_least_recently_used_text_goes_when_there_is_too_much(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path / "cache", limit_bytes=2500)
    for age, key in enumerate(["first", "second"]):
        cache.put(key, np.dtype(np.uint8), [np.zeros(1000, np.uint8)])
        for path in cache.directory.iterdir():
            os.utime(path, (age, age))
    assert cache.find("first") is not None  # used just now
    cache.put("third", np.dtype(np.uint8), [np.zeros(1000, np.uint8)])
    assert [cache.find(key) is not None for key in ("first", "second", "third")] == [True, False, True]


def test_clearing_tells_what_it_freed(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path / "cache")
    ids = cache.put("key", np.dtype(np.uint8), [np.ones(1000, np.uint8)])
    size = cache.size
    assert cache.clear() == size > 1000
    assert cache.size == 0
    assert ids.sum() == 1000  # a training goes on reading it


def test_batches_and_counts_of_a_mapped_text_are_those_of_the_text(text_file: Path, tmp_path: Path) -> None:
    mapped, plain = cached(text_file, tmp_path / "cache"), load_corpus([text_file])
    pairs = zip(get_batches(mapped.ids, 4, 5), get_batches(plain.ids, 4, 5), strict=True)
    assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)
    tokens = len(plain.vocabulary)
    assert character_counts(mapped.ids, tokens).tolist() == np.bincount(plain.ids, minlength=tokens).tolist()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells the size of a process")
def test_what_was_read_of_a_mapped_text_does_not_stay_in_memory(tmp_path: Path) -> None:
    def shared_bytes() -> int:
        return int(Path("/proc/self/statm").read_text().split()[2]) * os.sysconf("SC_PAGE_SIZE")

    ids = ArrayCache(tmp_path / "cache").put("key", np.dtype(np.uint8), [np.ones(32 << 20, np.uint8)])
    before = shared_bytes()
    assert character_counts(ids[1:], 2).tolist() == [0, len(ids) - 1]
    assert shared_bytes() - before < 8 << 20
