"""Which texts are offered: recent ones that are still there, and the files of a directory that are text."""

import gzip
import os
from pathlib import Path

import pytest

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.text.demo import DEMO, text_path
from charrnn_tui.text.listing import RECENT_TEXTS, recent_texts, short_name, texts_in
from charrnn_tui.text.text_file import CorpusError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory is one of it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def write(path: Path, data: bytes = b"some text\n") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def run_on(home: Path, name: str, *texts: str) -> RunDirectory:
    run = RunDirectory(home / "runs" / name)
    run.path.mkdir(parents=True)
    run.write_settings({"corpus": list(texts)})
    return run


def test_recent_texts_come_in_the_order_of_the_runs_each_once_and_missing_ones_are_left_out(home: Path) -> None:
    here, there = write(home / "work" / "here.txt"), write(home / "texts" / "there.txt", b"x" * 2500)
    runs = [
        run_on(home, "new", there),
        run_on(home, "gone", str(home / "gone.txt"), "/dev/stdin", "a\0b"),
        run_on(home, "both", here, there),
        RunDirectory(home / "runs" / "no settings"),
    ]
    assert [(text.label, text.path, text.about) for text in recent_texts(runs)] == [
        ("~/texts/there.txt", "~/texts/there.txt", "2.5 kB, run new"),
        ("here.txt", "here.txt", "10 B, run both"),
    ]


def test_the_demo_text_is_no_recent_text(home: Path) -> None:
    assert recent_texts([run_on(home, "demo", text_path(DEMO))]) == []


def test_a_run_of_many_files_does_not_fill_the_list(home: Path) -> None:
    texts = [write(home / f"{number}.txt") for number in range(2 * RECENT_TEXTS)]
    assert len(recent_texts([run_on(home, "many", *texts)])) == RECENT_TEXTS


def test_a_directory_lists_its_parent_its_directories_and_its_texts(home: Path) -> None:
    folder = home / "texts"
    for name in ("b.txt", "A.txt", ".hidden"):
        write(folder / name)
    write(folder / "utf-16.txt", "text".encode("utf-16"))
    write(folder / "binary.net", b"PK\0\1")
    write(folder / "packed.gz", gzip.compress(b"text"))
    write(folder / "empty.txt", b"")
    os.mkfifo(folder / "pipe")
    (folder / "nowhere").symlink_to("nothing")
    (folder / "z").mkdir()
    (folder / ".git").mkdir()
    listed = texts_in(folder)
    assert [text.label for text in listed] == [
        "../", ".git/", "z/", ".hidden", "A.txt", "b.txt", "packed.gz", "utf-16.txt",
    ]  # fmt: skip
    assert [text.label for text in listed if text.hidden] == [".git/", ".hidden"]
    assert listed[0].path == str(home)
    assert listed[2].path == str(folder / "z")
    assert (listed[4].path, listed[4].about) == ("~/texts/A.txt", "10 B")


def test_what_cannot_be_read_is_said(home: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere: cannot be read: No such file"):
        texts_in(home / "nowhere")


@pytest.mark.parametrize("name", ["a.txt", "~x", "demo:python", " a", "sub/a", "bad\x1b[31m.txt"])
def test_a_short_name_leads_to_the_file(home: Path, name: str) -> None:
    for folder in (home / "work", home, home.parent):
        path = write(folder / name)
        assert os.path.samefile(text_path(short_name(path).lstrip()), path)


def test_names_are_whole_where_the_working_directory_has_been_deleted(home: Path) -> None:
    (home / "work").rmdir()
    assert short_name("/etc/a.txt") == "/etc/a.txt"
    assert short_name(str(home / "a.txt")) == "~/a.txt"
