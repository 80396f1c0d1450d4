"""Files read in pieces give what they give read at once."""

import hashlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn_tui.text.corpus import CorpusError, load_corpus
from charrnn_tui.text.text_file import BINARY_PROBE_BYTES, PIECE_BYTES, TextFile
from charrnn_tui.text.text_settings import TextSettings

ALL_ASCII = st.text(
    alphabet=st.characters(max_codepoint=0x7F, exclude_characters="\0\x1b"), max_size=40
)  # ESC: iso2022_jp
AWKWARD = st.text(alphabet="a\r\né\u3042\u20ac\U0001f600\ufeff", max_size=40)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts") / "t"


def plain(data: bytes, encoding: str) -> str:
    """What a file of these bytes says, by definition."""
    return data.decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


@given(
    text=st.one_of(AWKWARD, ALL_ASCII),
    size=st.integers(1, 7),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-7", "iso2022_jp", "latin-1", "cp1252"]),
)
def test_borders_of_pieces_do_not_show(path: Path, text: str, size: int, encoding: str) -> None:
    data = text.encode(encoding, "ignore")
    path.write_bytes(data)
    file = TextFile(path, encoding, piece_bytes=size)
    assert "".join(file.texts()) == plain(data, encoding)


@given(
    data=st.lists(
        st.sampled_from([b"a", b"\r", b"\n", b"\xc3\xa9", b"\xe2\x82\xac", b"\xe2", b"\x82", b"\xff"]), max_size=20
    ).map(b"".join),
    size=st.integers(1, 7),
    encoding=st.sampled_from(["utf-8", "ascii"]),
)
def test_what_is_wrong_is_found_where_it_stands_whatever_the_pieces(
    path: Path, data: bytes, size: int, encoding: str
) -> None:
    path.write_bytes(data)
    file = TextFile(path, encoding, piece_bytes=size)
    try:
        whole = plain(data, encoding)
    except UnicodeDecodeError as error:
        with pytest.raises(CorpusError, match=f"byte 0x{data[error.start]:02x} at offset {error.start}(;|$)"):
            list(file.texts())
    else:
        assert "".join(file.texts()) == whole


@settings(max_examples=40)
@given(data=st.lists(st.text(alphabet="ab\r\n\ufeff\u20acé", max_size=20).map(str.encode), min_size=1, max_size=3))
def test_a_corpus_is_what_its_files_say_and_its_hash_theirs(path: Path, data: list[bytes]) -> None:
    paths = [path.with_name(f"t{number}") for number in range(len(data))]
    for part, content in zip(paths, data, strict=True):
        part.write_bytes(content)
    whole = "".join(plain(content, "utf-8") for content in data)
    if not whole:
        with pytest.raises(CorpusError, match="empty"):
            load_corpus(paths)
        return
    corpus = load_corpus(paths)
    assert corpus.vocabulary.tokens == tuple(sorted(set(whole)))
    assert corpus.ids.tolist() == [corpus.vocabulary.index[char] for char in whole]
    assert corpus.sha256 == hashlib.sha256(b"".join(data)).hexdigest()


def test_the_newlines_of_a_text_of_many_pieces_are_universal(tmp_path: Path) -> None:
    lines = "".join(f"line {number}\r\n" for number in range(40_000)) + "\r" + "é\r\n"
    (tmp_path / "t").write_bytes(lines.encode())
    corpus = load_corpus([tmp_path / "t"])
    assert corpus.vocabulary.decode(corpus.ids) == lines.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("place", [0, 5000, BINARY_PROBE_BYTES - 1])
@pytest.mark.parametrize("letter", ["a", "é"])
def test_a_nul_among_the_first_characters_is_binary(tmp_path: Path, place: int, letter: str) -> None:
    (tmp_path / "t").write_bytes((letter * place + "\0").encode())
    with pytest.raises(CorpusError, match=f"a NUL character at position {place}"):
        load_corpus([tmp_path / "t"])


def test_a_nul_further_on_is_a_character(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"a" * BINARY_PROBE_BYTES + b"\0")
    assert load_corpus([tmp_path / "t"]).vocabulary.tokens == ("\0", "a")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_offset_beyond_the_first_piece_is_the_file_s(tmp_path: Path, encoding: str) -> None:
    good = ("é" * (PIECE_BYTES // 2 + 7)).encode(encoding)
    bad = b"\xff\xff" if encoding == "utf-8" else b"\x00\xdc\x61\x00"
    (tmp_path / "t").write_bytes(good + bad)
    with pytest.raises(CorpusError, match=f"is not {encoding}: byte 0x{bad[0]:02x} at offset {len(good)}"):
        load_corpus([tmp_path / "t"], TextSettings(encoding))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_read_once_and_kept(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"ab\r\n" * 5))
    writer.start()
    corpus = load_corpus([pipe])
    writer.join()
    assert corpus.vocabulary.decode(corpus.ids) == "ab\n" * 5


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"abc")
    file = TextFile(path)
    assert not file.changed()
    path.write_bytes(b"abcd")
    assert file.changed()


def test_a_long_text_in_wide_characters_has_no_nul_in_its_alphabet(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(("ab" * 100_000).encode("utf-16"))
    assert load_corpus([tmp_path / "t"], TextSettings("utf-16")).vocabulary.tokens == ("a", "b")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_an_encoding_with_nuls_is_the_one_that_is_suggested(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t").write_bytes("hello wörld\n".encode(encoding) * 5)
    with pytest.raises(CorpusError, match=f"try --encoding {encoding}$"):
        load_corpus([tmp_path / "t"])
    assert len(load_corpus([tmp_path / "t"], TextSettings(encoding)).vocabulary) >= 9


def test_bytes_with_a_nul_here_and_there_are_not_taken_for_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"abc\0def\n" * 50)
    with pytest.raises(CorpusError, match=r"give a plain text file$"):
        load_corpus([tmp_path / "t"])


def test_who_means_standard_input_is_told_its_name() -> None:
    with pytest.raises(CorpusError, match=r"name /dev/stdin$"):
        load_corpus(["-"])


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs a device without an end")
def test_a_device_without_an_end_is_refused_and_an_empty_one_is_empty() -> None:
    with pytest.raises(CorpusError, match=r"^/dev/zero: is a device"):
        load_corpus(["/dev/zero"])
    with pytest.raises(CorpusError, match="/dev/null: the file is empty"):
        load_corpus(["/dev/null"])
