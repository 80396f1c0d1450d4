"""Suffix arrays and what is found in them, beside plain searches."""

import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.analysis import suffix_array as module
from charrnn_tui.analysis import text_index
from charrnn_tui.analysis.suffix_array import TextTooLong, suffix_array
from charrnn_tui.analysis.text_index import index_text
from charrnn_tui.text.array_cache import ArrayCache


def random_ids(length: int, tokens: int, seed: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(tokens, size=length).astype(dtype)


TEXTS = {
    "nothing": np.empty(0, np.uint8),
    "one character": np.zeros(1, np.uint8),
    "all alike": np.zeros(300, np.uint8),
    "repeating": np.tile(np.arange(7, dtype=np.uint8), 40),
    "two characters": random_ids(500, 2, 0),
    "all bytes": random_ids(500, 256, 1),
    "a wide alphabet": random_ids(500, 60_000, 2, np.uint16),
    "a wide alphabet, few of it": random_ids(500, 3, 3, np.uint16) * np.uint16(300),
}


def sorted_suffixes(ids: np.ndarray) -> list[int]:
    values = ids.tolist()
    return sorted(range(len(values)), key=lambda place: values[place:])


@pytest.fixture(params=["pydivsufsort", "NumPy"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pydivsufsort":
        pytest.importorskip("pydivsufsort")
    else:
        monkeypatch.setattr(module, "_library", lambda: None)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", TEXTS)
def test_the_suffixes_are_in_the_order_of_the_alphabet(name: str) -> None:
    ids = TEXTS[name].copy()
    ids.flags.writeable = False  # as those of a corpus
    found = suffix_array(ids)
    assert found.dtype == np.int32
    assert found.tolist() == sorted_suffixes(ids)


@pytest.mark.parametrize("block", [1, 3, 64])
def test_blocks_are_sorted_as_the_whole(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_library", lambda: None)
    monkeypatch.setattr(module, "_BLOCK", block)
    for ids in TEXTS.values():
        assert suffix_array(ids).tolist() == sorted_suffixes(ids)


@pytest.mark.parametrize("tokens", [4, 90, 5000])
def test_without_the_library_ten_bytes_a_character_do(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_library", lambda: None)
    monkeypatch.setattr(module, "_BLOCK", 1 << 11)
    monkeypatch.setattr(module, "_PIECE", 1 << 12)
    ids = random_ids(300_000, tokens, 5, np.uint16 if tokens > 256 else np.uint8)
    tracemalloc.start()
    suffix_array(ids)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * len(ids)


def test_sorting_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_library", lambda: None)
    with pytest.raises(KeyboardInterrupt):
        suffix_array(TEXTS["two characters"], stop)


def test_a_text_with_more_places_than_numbers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 499)
    with pytest.raises(TextTooLong, match="500 characters; one of up to 499 can"):
        suffix_array(TEXTS["two characters"])


@pytest.mark.parametrize("most", [1, 5, 16, 17, 256])
@pytest.mark.parametrize("name", TEXTS)
def test_the_longest_match_is_what_a_search_finds(name: str, most: int) -> None:
    indexed = TEXTS[name]
    copied = indexed[len(indexed) // 3 :][:60]
    text = np.concatenate([copied, random_ids(40, 3, 9).astype(indexed.dtype), copied[::-1], indexed[-20:]])
    lengths, sources = index_text(indexed).longest_match(text, most)
    assert lengths.dtype == sources.dtype == np.int32
    held, values = indexed.tolist(), text.tolist()
    parts = {tuple(held[i : i + k]) for k in range(1, most + 1) for i in range(len(held) - k + 1)}
    for place, (length, source) in enumerate(zip(lengths.tolist(), sources.tolist(), strict=True)):
        longest = min(most, len(values) - place)
        expected = next((k for k in range(longest, 0, -1) if tuple(values[place : place + k]) in parts), 0)
        assert length == expected
        if length:
            assert held[source : source + length] == values[place : place + length]
        else:
            assert source == -1


def test_a_character_that_the_indexed_text_has_not_matches_nothing() -> None:
    text = np.array([0, 1, 256, 0], np.uint16)  # one more than fits into the indexed text's type
    lengths, sources = index_text(np.arange(256, dtype=np.uint8)).longest_match(text)
    assert (lengths.tolist(), sources.tolist()) == ([2, 1, 0, 1], [0, 1, -1, 0])


def test_blocks_of_matches_are_found_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    index, text = index_text(random_ids(400, 3, 0)), random_ids(100, 3, 1)
    whole = index.longest_match(text)
    calls = list[None]()
    monkeypatch.setattr(text_index, "BLOCK", 7)
    parts = index.longest_match(text, check=lambda: calls.append(None))
    assert [part.tolist() for part in parts] == [part.tolist() for part in whole]
    assert len(calls) == 15


@pytest.mark.parametrize("name", TEXTS)
def test_what_neighbours_share(name: str) -> None:
    index = index_text(TEXTS[name])
    values = index.ids.tolist()
    expected = [
        next(
            (k for k in range(20) if values[a : a + k + 1] != values[b : b + k + 1] or max(a, b) + k >= len(values)), 20
        )
        for a, b in pairwise(index.suffixes.tolist())
    ]
    assert index.shared_with_next(20).tolist() == expected


def test_the_places_of_a_passage() -> None:
    text = random_ids(300, 2, 4)
    index, values = index_text(text), text.tolist()
    for passage in ([], [0], [1, 0, 1], values[50:70], values[-3:], [0, 1] * 30, [2]):
        expected = [i for i in range(300 - len(passage) + (passage != [])) if values[i : i + len(passage)] == passage]
        found = index.places(np.array(passage, np.uint8))
        assert found.tolist() == expected
        assert index.count(np.array(passage, np.uint8)) == len(expected)


def test_the_index_of_a_long_text_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_index, "CACHED_FROM", 100)
    ids, cache = random_ids(200, 5, 0), tmp_path / "cache"
    built = index_text(ids, cache)
    monkeypatch.setattr(text_index, "suffix_array", lambda *_: pytest.fail("was stored"))
    assert np.array_equal(index_text(ids.copy(), cache).suffixes, built.suffixes)


def test_another_text_has_another_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_index, "CACHED_FROM", 100)
    ids = random_ids(200, 5, 0)
    index_text(ids, tmp_path)
    for other in (ids[1:], ids.astype(np.uint16) << 8, (ids + 1) % 5):
        assert index_text(other, tmp_path).suffixes.tolist() == sorted_suffixes(other)


def test_a_short_text_and_a_full_disk_store_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = random_ids(200, 5, 0)
    index_text(ids, tmp_path)
    assert ArrayCache(tmp_path).size == 0
    monkeypatch.setattr(text_index, "CACHED_FROM", 100)
    (tmp_path / "file").write_text("where the directory should be")
    assert index_text(ids, tmp_path / "file").suffixes.tolist() == sorted_suffixes(ids)
