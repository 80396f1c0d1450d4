"""Files read in pieces give what they give read at once."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.text import text_file as text_file_module
from charrnn_tui.text.corpus import CorpusError, load_corpus
from charrnn_tui.text.text_file import TextFile
from charrnn_tui.text.vocabulary import alphabet_of, codes_of

AWKWARD = st.text(alphabet="a\r\né\u20ac\U0001f600\ufeff", max_size=40)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts") / "t"


@given(text=AWKWARD, size=st.integers(1, 7), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]))
def test_borders_of_pieces_do_not_show(path: Path, text: str, size: int, encoding: str) -> None:
    path.write_bytes(text.encode(encoding))
    file = TextFile(path, encoding)
    whole = text.encode(encoding).decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    pieces = file.pieces

    def small() -> object:
        return pieces(size)

    file.pieces = small  # else a quarter of a megabyte
    assert "".join(file.texts()) == whole


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_offset_beyond_the_first_piece_is_the_file_s(tmp_path: Path, encoding: str) -> None:
    good = ("é" * (text_file_module.PIECE_BYTES // 2 + 7)).encode(encoding)
    bad = b"\xff\xff" if encoding == "utf-8" else b"\x00\xdc\x61\x00"
    (tmp_path / "t").write_bytes(good + bad)
    with pytest.raises(CorpusError, match=f"is not {encoding}: byte 0x{bad[0]:02x} at offset {len(good)}"):
        load_corpus([tmp_path / "t"], encoding)


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


@given(st.lists(st.text(), max_size=4))
def test_the_alphabet_of_pieces_is_that_of_the_whole(texts: list[str]) -> None:
    assert alphabet_of(map(codes_of, texts)) == sorted(set("".join(texts)))
