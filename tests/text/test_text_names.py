"""What the names of texts mean."""

import gzip
from pathlib import Path

import pytest

from charrnn_tui.text import text_names
from charrnn_tui.text.text_file import CorpusError
from charrnn_tui.text.text_names import files_of, name_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three texts, one of them compressed, and what is none."""
    folder = tmp_path / "texts"
    (folder / "more").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "b.txt").write_text("b")
    (folder / "a.txt").write_text("a")
    (folder / "more" / "c.gz").write_bytes(gzip.compress(b"c"))
    (folder / ".git" / "x.txt").write_text("x")
    (folder / ".hidden.txt").write_text("x")
    (folder / "empty.txt").write_text("")
    (folder / "picture.png").write_bytes(b"\x89PNG\0\0")
    return folder


def test_a_directory_is_its_files_of_text(folder: Path) -> None:
    named = files_of([str(folder)])
    assert named.files == (f"{folder}/a.txt", f"{folder}/b.txt", f"{folder}/more/c.gz")
    assert named.left_out == (f"{folder}/picture.png: looks like a binary file (a NUL byte at offset 4)",)


def test_a_pattern_is_what_it_matches(folder: Path) -> None:
    assert files_of([f"{folder}/*.txt"]).files == (f"{folder}/a.txt", f"{folder}/b.txt")
    assert files_of([f"{folder}/**/[bc].*"]).files == (f"{folder}/b.txt", f"{folder}/more/c.gz")
    (folder / "[1].txt").write_text("1")
    assert files_of([f"{folder}/[1].txt"]).files == (f"{folder}/[1].txt",)  # a file of this name comes first


def test_names_keep_their_order_and_a_file_that_is_named_is_not_looked_at(folder: Path) -> None:
    names = [f"{folder}/picture.png", f"{folder}/more", "nowhere.txt", "-"]
    assert files_of(names).files == (f"{folder}/picture.png", f"{folder}/more/c.gz", "nowhere.txt", "/dev/stdin")


def test_a_home_directory_is_known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert files_of(["~/more"]).files == (f"{folder}/more/c.gz",)


def test_where_there_is_no_text_it_is_said(folder: Path) -> None:
    (folder / "none").mkdir()
    with pytest.raises(CorpusError, match=r"none: there is no file of text in this directory$"):
        files_of([str(folder / "none")])
    with pytest.raises(CorpusError, match=r"\*\.md: no file of text matches$"):
        files_of([f"{folder}/*.md"])
    with pytest.raises(CorpusError, match=r"\*\.png: nothing is left of it: .*looks like a binary file"):
        files_of([f"{folder}/*.png"])


def test_what_cannot_be_decoded_is_left_out_if_asked(folder: Path) -> None:
    (folder / "b.txt").write_bytes(b"caf\xe9 au lait")
    assert len(files_of([str(folder)]).files) == 3  # reading it refuses it
    named = files_of([str(folder)], unreadable="skip")
    assert named.files == (f"{folder}/a.txt", f"{folder}/more/c.gz")
    assert f"{folder}/b.txt: is not utf-8: byte 0xe9 at offset 3" in named.left_out[0]
    assert len(files_of([str(folder)], "latin-1", "skip").files) == 3


def test_what_cannot_be_opened_is_refused_or_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Locked(text_names.TextFile):
        def __init__(self, path: str, encoding: str) -> None:
            if path.endswith("b.txt"):
                raise CorpusError(f"{path}: cannot be read: Permission denied")
            super().__init__(path, encoding)

    monkeypatch.setattr(text_names, "TextFile", Locked)
    with pytest.raises(CorpusError, match="Permission denied; leave it out with --unreadable skip"):
        files_of([str(folder)])
    named = files_of([str(folder)], unreadable="skip")
    assert (len(named.files), named.left_out[0]) == (2, f"{folder}/b.txt: cannot be read: Permission denied")


def test_a_damaged_member_is_refused_or_left_out(folder: Path) -> None:
    (folder / "more" / "c.gz").write_bytes(gzip.compress(b"c" * 1000)[:15])
    named = files_of([str(folder)], unreadable="skip")
    assert named.files == (f"{folder}/a.txt", f"{folder}/b.txt")
    assert any("c.gz: its gzip data are cut off at offset 15" in reason for reason in named.left_out)


def test_a_text_is_called_after_its_file_or_its_directory(folder: Path) -> None:
    assert name_of(["anna.txt"]) == name_of(["x/anna.txt.gz"]) == name_of(["anna.zst"]) == name_of(["anna"]) == "anna"
    assert name_of(files_of([str(folder)]).files) == "texts"
    assert name_of([folder / "more" / "c.gz"]) == "c"
    assert name_of(["/dev/stdin", "b.txt"]) == "stdin"
