"""Texts as they lie on disks: joined, decoded, normalised, or refused in one line that helps."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.text.batches import get_batches
from charrnn_tui.text.corpus import CorpusError, TextChanged, alphabet_of, encode_text, load_corpus, read_text
from charrnn_tui.text.long_text import chunks
from charrnn_tui.text.text_file import TextFile, sha256_of
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.text.vocabulary import Ids, UnknownCharacters, Vocabulary

TEXTS = st.text(alphabet=st.characters(exclude_categories=[])) | st.text(alphabet="ab\xe9\u20ac\U0001f600")


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def refused(path: Path, encoding: str = "utf-8") -> str:
    with pytest.raises(CorpusError) as caught:
        load_corpus([path], TextSettings(encoding))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_text_becomes_ids_of_a_sorted_alphabet(tmp_path: Path) -> None:
    corpus = load_corpus([written(tmp_path / "anna.txt", "naïve\n".encode())])
    assert corpus.name == "anna"
    assert corpus.vocabulary.tokens == ("\n", "a", "e", "n", "v", "ï")
    assert corpus.ids.tolist() == [3, 1, 5, 4, 2, 0]
    assert corpus.ids.dtype == np.uint8
    assert len(corpus) == 6


def test_files_are_joined_in_the_order_given(tmp_path: Path) -> None:
    second, first = written(tmp_path / "b.txt", b"world"), written(tmp_path / "a.txt", b"hello ")
    corpus = load_corpus([second, first])
    assert corpus.vocabulary.decode(corpus.ids) == "worldhello "
    assert corpus.name == tmp_path.name  # of the directory that has them both
    assert corpus.sha256 == hashlib.sha256(b"worldhello ").hexdigest()


@pytest.mark.parametrize("piece_bytes", [1, 5, 18, 64])
def test_the_hash_is_that_of_all_bytes_whatever_is_read_at_once(tmp_path: Path, piece_bytes: int) -> None:
    paths = [written(tmp_path / "a.txt", b"hello world, "), written(tmp_path / "b.txt", b"again")]
    files = [TextFile(path, piece_bytes=piece_bytes) for path in paths]
    assert sha256_of(files) == hashlib.sha256(b"hello world, again").hexdigest()


def test_all_newlines_are_read_as_one_character(tmp_path: Path) -> None:
    assert read_text(written(tmp_path / "t", b"unix\nwin\r\nmac\rend\r\r\n")) == "unix\nwin\nmac\nend\n\n"


def test_newlines_are_universal_as_in_text_mode(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t",
        b"a\r\r\nb\n\rc\x0bd\x85e" + "\u2028".encode(),
    )  # not all of it is UTF-8
    assert read_text(path, "latin-1") == path.read_text(encoding="latin-1")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_dropped(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "t", "\ufeffAnna".encode("utf-8" if encoding != "utf-16" else "utf-16-le"))
    assert read_text(path, encoding) == "Anna"


def test_the_marks_of_all_joined_files_are_dropped(tmp_path: Path) -> None:
    paths = [written(tmp_path / name, "\ufeffab".encode()) for name in "12"]
    assert load_corpus(paths).vocabulary.tokens == ("a", "b")


def test_the_split_is_the_notebook_s(tmp_path: Path) -> None:
    corpus = load_corpus([written(tmp_path / "t", b"abc" * 33)])
    for val_frac in (0.0, 0.1, 0.3, 0.9):
        train, val = corpus.split(val_frac)
        assert len(train) == int(99 * (1 - val_frac))
        assert np.concatenate([train, val]).tolist() == corpus.ids.tolist()


@pytest.mark.parametrize("chars", [1_500_000, 2_500_000])
def test_ids_stay_what_they_are_while_a_training_reads_them(chars: int, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(26, size=chars).astype(np.uint8)
    corpus = load_corpus([written(tmp_path / "long.txt", (numbers + ord("a")).tobytes())])
    for chunk in chunks(corpus.ids):
        assert len(chunk)
    for _ in get_batches(corpus.ids, 8, 100):
        pass
    np.testing.assert_array_equal(corpus.ids, numbers)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere.txt") == f"{tmp_path}/nowhere.txt: no such file"


def test_a_directory_is_told_apart(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path}: is a directory, not a file of text"


@pytest.mark.parametrize("data", [b"", "\ufeff".encode()])
def test_an_empty_file_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "the file is empty; there is nothing to learn from" in refused(written(tmp_path / "t", data))


def test_an_empty_file_among_others_does_no_harm(tmp_path: Path) -> None:
    assert len(load_corpus([written(tmp_path / "1", b""), written(tmp_path / "2", b"ab")])) == 2


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01\0\0\0", b"PK\x03\x04\x14\0\0\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"]
)
def test_a_binary_file_is_called_one(tmp_path: Path, data: bytes) -> None:
    assert "looks like a binary file (a NUL" in refused(written(tmp_path / "t", data))


def test_utf_16_without_a_mark_is_recognised(tmp_path: Path) -> None:
    path = written(tmp_path / "t", "Happy families are all alike.".encode("utf-16-le"))
    assert refused(path).endswith("; try --encoding utf-16-le")


def test_utf_16_with_a_mark_is_recognised(tmp_path: Path) -> None:
    path = written(tmp_path / "t", "Happy families".encode("utf-16"))
    message = refused(path)
    assert "is not utf-8: byte 0xff at offset 0; try --encoding utf-16" in message
    assert read_text(path, "utf-16") == "Happy families"


def test_a_wrong_encoding_is_told_with_its_offset_and_what_to_try(tmp_path: Path) -> None:
    path = written(tmp_path / "t", b"caf\xe9 au lait, s'il vous plait")
    assert "is not utf-8: byte 0xe9 at offset 3; try --encoding cp1252 or latin-1" in refused(path)


def test_the_first_wrong_byte_is_found_far_into_the_file(tmp_path: Path) -> None:
    assert "byte 0xe9 at offset 20000;" in refused(written(tmp_path / "t", b"a" * 20_000 + b"\xe9t\xe9"))


def test_a_file_cut_off_in_mid_character_is_told_with_its_offset(tmp_path: Path) -> None:
    for data, offset in ((b"ab\xe2\x82", 2), ("Анна\n".encode() * 5000 + b"\xd0", 45_000)):
        message = refused(written(tmp_path / "t", data))
        assert f"is not utf-8: byte 0x{data[offset]:02x} at offset {offset}; the file is cut off there" in message
        assert "--encoding" not in message
    utf_16 = refused(written(tmp_path / "t", "Anna".encode("utf-16")[:-1]), "utf-16")
    assert "byte 0x61 at offset 8; the file is cut off there" in utf_16


def test_a_last_letter_that_may_be_one_of_another_encoding_is_told_so(tmp_path: Path) -> None:
    message = refused(written(tmp_path / "t", b"caf\xe9"))
    assert "byte 0xe9 at offset 3; the file is cut off there" in message
    assert "; try --encoding cp1252 or latin-1" in message


OTHER_TEXTS = {
    "cp1252": "Longtemps, je me suis couché de bonne heure. « Je m’endors. » Parfois, à peine ma bougie éteinte.\n",
    "latin-1": "Als Gregor Samsa aus unruhigen Träumen erwachte, fand er sich verwandelt auf seinem Rücken.\n",
    "cp1251": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n",
    "koi8-r": "Все смешалось в доме Облонских. Жена узнала, что муж был в связи с бывшею в их доме.\n",
    "shift-jis": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n",
    "euc-jp": "何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している。\n",
    "big5": "道可道，非常道。名可名，非常名。無名天地之始；有名萬物之母。故常無欲，以觀其妙。\n",
    "gb18030": "我们在学习机器学习的时候，需要很多数据。他说：今天天气很好，我们去公园散步吧。\n",
    "euc-kr": "나는 오늘 아침에 일찍 일어났다. 날씨가 매우 좋아서 공원에 산책을 갔다.\n",
}


@pytest.mark.parametrize("encoding", OTHER_TEXTS)
@pytest.mark.parametrize("times", [1, 500])
def test_the_encoding_that_a_text_has_is_named(encoding: str, times: int, tmp_path: Path) -> None:
    path = written(tmp_path / "t", (OTHER_TEXTS[encoding] * times).encode(encoding))
    named = refused(path).partition("; try --encoding ")[2].split(" or ")
    assert encoding in named
    assert named[0] == encoding or encoding == "latin-1"  # what it has of cp1252 is the same
    assert read_text(path, encoding) == OTHER_TEXTS[encoding] * times


def test_offsets_count_the_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path / "t", "\ufeffab".encode() + b"\xe9 c")
    assert "byte 0xe9 at offset 5" in refused(path, "utf-8-sig")


def test_utf_8_is_suggested_where_it_fits(tmp_path: Path) -> None:
    message = refused(written(tmp_path / "t", "déjà vu".encode()), "ascii")
    assert message.endswith("is not ascii: byte 0xc3 at offset 1; try --encoding utf-8")


@pytest.mark.parametrize("encoding", ["klingon", "hex", "a\0b", ""])
def test_an_encoding_that_does_not_exist_is_named(tmp_path: Path, encoding: str) -> None:
    message = refused(written(tmp_path / "t", b"abc"), encoding)
    assert message.startswith(f"--encoding {encoding!r}: no such encoding; common ones are utf-8, utf-16")


def test_a_path_that_is_none_is_refused() -> None:
    assert "is not a path" in refused(Path("a\0b"))
    assert "cannot be read: File name too long" in refused(Path("x" * 5000))


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(0, 100), st.integers(0, 100))
def test_the_ends_that_are_left_out_do_not_depend_on_the_pieces(texts: list[str], head: int, tail: int) -> None:
    whole, settings = "".join(texts), TextSettings(skip_head=head, skip_tail=tail)
    expected = whole[head : max(head, len(whole) - tail)]
    if whole and not expected and (head or tail):
        with pytest.raises(CorpusError, match=f"--skip-head {head} and --skip-tail {tail} leave none"):
            list(settings.part_of(texts))
    else:
        assert "".join(settings.part_of(texts)) == expected


def test_what_is_left_out_is_not_in_the_alphabet(tmp_path: Path) -> None:
    file = written(tmp_path / "t", "§§abcba\r\n€".encode())
    corpus = load_corpus([file], TextSettings(skip_head=2, skip_tail=2))
    assert corpus.vocabulary.tokens == ("a", "b", "c")
    assert corpus.vocabulary.decode(corpus.ids) == "abcba"
    assert corpus.sha256 == load_corpus([file]).sha256  # of the file
    cached = load_corpus([file], TextSettings(skip_head=3), tmp_path / "cache", cached_from_bytes=1)
    assert cached.vocabulary.decode(cached.ids) == "bcba\n€"
    assert len(load_corpus([file], TextSettings(), tmp_path / "cache", cached_from_bytes=1)) == 9


@given(st.lists(TEXTS, max_size=4))
def test_the_alphabet_of_pieces_is_that_of_the_whole(texts: list[str]) -> None:
    whole = "".join(texts)
    assert alphabet_of(texts) == (sorted(set(whole)), len(whole))


@given(st.lists(TEXTS, max_size=4).filter(any))
def test_pieces_are_encoded_as_the_whole(texts: list[str]) -> None:
    whole = "".join(texts)
    alphabet = sorted(set(whole))
    ids = encode_text(texts, Vocabulary(alphabet), len(whole))
    assert ids.tolist() == [alphabet.index(char) for char in whole]
    assert not ids.flags.writeable


@pytest.mark.parametrize("size", [1, 255, 256, 257, 5_000, 65_535, 65_536, 70_000])
def test_an_alphabet_may_have_any_size(size: int) -> None:
    alphabet = [chr(code) for code in range(0x20, 0x20 + size + 0x800) if not 0xD800 <= code < 0xE000][:size]
    text = "".join(reversed(alphabet))
    found, length = alphabet_of([text])
    ids = encode_text([text], Vocabulary(found), length)
    assert found == alphabet
    assert ids.dtype == Vocabulary(alphabet).dtype
    assert np.array_equal(ids, np.arange(size)[::-1])


@pytest.mark.parametrize("texts", [["ab", "c"], ["ab", "aba"], ["a"]])
def test_a_text_that_is_another_in_the_second_pass_is_refused(texts: list[str]) -> None:
    alphabet, length = alphabet_of(["ab", "ab"])
    with pytest.raises((TextChanged, UnknownCharacters)):
        encode_text(texts, Vocabulary(alphabet), length)


def test_an_epoch_reads_files_as_often_as_their_weights_say_and_a_validation_once(tmp_path: Path) -> None:
    for name, text in (("a", "aaaa"), ("b", "bbb"), ("c", "ccc")):
        (tmp_path / name).write_text(text)
    files = [tmp_path / name for name in "abc"]
    corpus = load_corpus(files, TextSettings(skip_head=1, weights="3,1,2"))
    plain = load_corpus(files, TextSettings(skip_head=1))

    def text(ids: Ids) -> str:
        return corpus.vocabulary.decode(ids)

    assert text(corpus.weighted_training_ids(0.1)) == "aaa" + "bbb" + "cc" + "aaa" + "cc" + "aaa"
    assert text(plain.weighted_training_ids(0.1)) == "aaabbbcc"
    assert [text(part) for part in corpus.split(0.1)] == ["aaabbbcc", "c"]
    with pytest.raises(CorpusError, match="2 for 3 files"):
        load_corpus(files, TextSettings(weights="3,1"))
