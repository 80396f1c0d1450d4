"""Runs that a person names, notes and tidies up."""

import os
from pathlib import Path

import pytest

from charrnn_tui.run.directory import RunDirectory, RunError
from charrnn_tui.run.run_tags import RunTag, files_of, read_tag, rename_run, write_tag


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    run = RunDirectory(tmp_path / "anna-1")
    run.path.mkdir()
    run.events_file.write_text("")
    return run


def test_a_note_and_a_pin_stay_with_the_run(run: RunDirectory) -> None:
    assert read_tag(run) == RunTag()
    write_tag(run, RunTag("the one\nwith  \udc80 dropout", pinned=True))
    note = read_tag(RunDirectory(run.path))
    assert note.pinned
    assert note.note.startswith("the one with")


@pytest.mark.parametrize("words", ["", "[]", "{}", '{"note": 3, "pinned": "yes"}'])
def test_a_damaged_tag_is_none(words: str, run: RunDirectory) -> None:
    (run.path / "tag.json").write_text(words)
    assert read_tag(run) == RunTag()


def test_a_run_can_be_renamed(run: RunDirectory) -> None:
    write_tag(run, RunTag("kept"))
    renamed = rename_run(run, "better")
    assert (renamed.name, renamed.path.parent) == ("better", run.path.parent)
    assert read_tag(renamed).note == "kept"
    assert not run.path.exists()


@pytest.mark.parametrize("name", ["", "../up", "a/b", "-x", "x" * 101])
def test_what_is_no_name_is_refused(name: str, run: RunDirectory) -> None:
    with pytest.raises(RunError, match="use letters, digits"):
        rename_run(run, name)


def test_a_name_that_is_taken_is_refused(run: RunDirectory) -> None:
    (run.path.parent / "two").mkdir()
    with pytest.raises(RunError, match="two: there is a run of this name already"):
        rename_run(run, "two")


def test_a_run_in_training_keeps_its_name(run: RunDirectory) -> None:
    lock = run.lock()
    with pytest.raises(RunError, match=f"is being trained by process {os.getpid()}"):
        rename_run(run, "two")
    lock.release()


def test_files_are_told_the_largest_first(run: RunDirectory) -> None:
    (run.path / "kept").mkdir()
    (run.path / "kept" / "step-5.safetensors").write_bytes(bytes(30))
    (run.path / "last.safetensors").write_bytes(bytes(20))
    assert files_of(run) == [
        (os.path.join("kept", "step-5.safetensors"), 30),
        ("last.safetensors", 20),
        ("events.jsonl", 0),
    ]
