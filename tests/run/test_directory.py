"""A run on disk: its name, its settings, its events as they come, its trainer."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from charrnn_tui.run.directory import EventWriter, RunDirectory, RunError, find_run, list_runs
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.events import Event, RunFinished, RunPaused, RunStarted, to_line
from charrnn_tui.run.files import write_atomically
from charrnn_tui.run.lock import RunLock, RunLocked, lock_holder
from charrnn_tui.run.settings import SettingsError

HOLD = """
import sys, pathlib
from charrnn_tui.run.lock import RunLock
lock = RunLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
input()
"""


def paused(step: int) -> RunPaused:
    return RunPaused(time=1.0, step=step)


def run_with(path: Path, *events: Event) -> RunDirectory:
    path.mkdir(parents=True)
    (path / "events.jsonl").write_text("".join(map(to_line, events)))
    return RunDirectory(path)


def steps(tail: EventTail, most: int = -1) -> list[int]:
    return [event.step for event in tail.read(most)]


def test_runs_are_named_after_their_text_and_a_counter(tmp_path: Path) -> None:
    names = [RunDirectory.create(tmp_path / "runs", "anna").name for _ in range(3)]
    assert names == ["anna-1", "anna-2", "anna-3"]


def test_the_counter_goes_on_after_the_highest_and_leaves_gaps(tmp_path: Path) -> None:
    for name in ("anna-7", "anna-2", "anna-x", "anna", "annabel-99", "anna-50-1"):
        (tmp_path / name).mkdir()
    assert RunDirectory.create(tmp_path, "anna").name == "anna-8"


@pytest.mark.parametrize(
    ("corpus", "name"),
    [
        ("war & peace", "war-peace-1"),
        ("…", "text-1"),
        ("Анна", "Анна-1"),
        (".hidden", "hidden-1"),
        ("x" * 200, "x" * 80 + "-1"),
    ],
)
def test_any_text_s_name_makes_a_name_for_a_run(tmp_path: Path, corpus: str, name: str) -> None:
    assert RunDirectory.create(tmp_path, corpus).name == name


def test_runs_made_at_the_same_time_get_different_directories(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(RunDirectory.create(tmp_path, "anna").name for _ in range(10)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == len(made) == 40


def test_a_name_can_be_chosen_once(tmp_path: Path) -> None:
    assert RunDirectory.create(tmp_path, "anna", "my.run_1").path == tmp_path / "my.run_1"
    with pytest.raises(SettingsError, match=f"--name: my.run_1: there is a run of this name already, in {tmp_path}"):
        RunDirectory.create(tmp_path, "anna", "my.run_1")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../up", "-x", ".x", "a b", "a\n", "_x", "x" * 101, "a\0b"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        RunDirectory.create(tmp_path, "anna", name)
    assert "use letters, digits" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_hold_runs_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=f"{tmp_path}/file/runs: no run can be made there: Not a directory"):
        RunDirectory.create(tmp_path / "file" / "runs", "anna")


def test_settings_are_read_as_they_were_written(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert run.read_settings() == {}
    run.write_settings({"name": "ünï", "settings": {"lr": 0.001}})
    assert run.read_settings() == {"name": "ünï", "settings": {"lr": 0.001}}
    for damaged in ('{"name": ', "[1]", "\xff"):
        run.settings_file.write_text(damaged, encoding="latin-1")
        assert run.read_settings() == {}


def test_the_best_checkpoint_is_preferred_to_the_last(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert run.checkpoint_file() is None
    run.last_file.touch()
    assert run.checkpoint_file() == run.last_file
    run.best_file.touch()
    assert run.checkpoint_file() == run.best_file


def test_events_are_read_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = EventTail(path)
    assert steps(tail) == []
    writer = EventWriter(path)
    writer.append(paused(1))
    assert steps(tail) == [1]
    assert steps(tail) == []
    writer.append(paused(2))
    writer.append(paused(3))
    assert steps(tail) == [2, 3]
    writer.close()


def test_a_torn_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    whole = to_line(paused(2)).encode()
    path.write_bytes(to_line(paused(1)).encode() + whole[:-5])
    tail = EventTail(path)
    assert steps(tail) == [1]
    with path.open("ab") as file:
        file.write(whole[-5:])
    assert steps(tail) == [2]


def test_a_new_trainer_writes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(to_line(paused(1)).encode() + b'{"event": "run_pau')
    writer = EventWriter(path)
    writer.append(paused(2))
    writer.sync()
    writer.close()
    assert steps(EventTail(path)) == [1, 2]


def test_lines_that_are_no_events_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    junk = (
        b'[]\n\n\xff\xfe\nnull\n{"event": "moon_landed", "time": 1}\n{"event": "run_paused", "time": 1, "step": "x"}\n'
    )
    path.write_bytes(to_line(paused(1)).encode() + junk + to_line(paused(2)).encode())
    assert steps(EventTail(path)) == [1, 2]


@pytest.mark.parametrize("most", [1, 10, 60, 100, 1000])
def test_a_long_history_can_be_read_in_pieces(tmp_path: Path, most: int) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(to_line(paused(step)) for step in range(20)))
    tail, found = EventTail(path), []
    while piece := steps(tail, most):
        found += piece
    assert found == list(range(20))


def test_a_disk_that_is_full_keeps_events_waiting(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    writer = EventWriter(Path("/dev/full"))
    writer.append(paused(1))
    assert writer.error is not None
    writer.sync()
    path = tmp_path / "events.jsonl"
    writer._file.close()
    writer._file = path.open("ab", buffering=0)  # somebody has made room
    writer.append(paused(2))
    assert writer.error is None
    writer.close()
    assert steps(EventTail(path)) == [1, 2]


def test_a_second_trainer_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert run.trainer() is None
    lock = run.lock()
    assert run.trainer() == str(os.getpid())
    with pytest.raises(RunLocked, match=f"is being trained already, by process {os.getpid()}"):
        run.lock()
    lock.release()
    lock.release()
    assert run.trainer() is None
    run.lock().release()


def test_those_who_ask_for_the_trainer_do_not_see_each_other(tmp_path: Path) -> None:
    RunLock(tmp_path / "lock").release()  # leaves a pid behind
    answers: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(lock_holder(tmp_path / "lock") for _ in range(300)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {None}


def test_the_trainer_of_a_run_that_may_only_be_read_is_known(tmp_path: Path) -> None:
    lock = RunLock(tmp_path / "lock")
    (tmp_path / "lock").chmod(0o444)
    assert lock_holder(tmp_path / "lock") == str(os.getpid())
    lock.release()


def test_a_dead_trainer_s_lock_is_free_and_its_run_interrupted(tmp_path: Path) -> None:
    run = run_with(tmp_path / "anna-1", RunStarted(time=1.0, run="anna-1"))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert run.trainer() == str(holder.pid)
        assert run.progress().state == "training"
        with pytest.raises(RunError, match=f"anna-1: is being trained by process {holder.pid}; stop that first"):
            run.delete()
        holder.send_signal(signal.SIGKILL)
    assert run.trainer() is None
    assert (run.progress().state, run.progress().reason) == ("interrupted", "the training process exited")
    run.lock().release()
    run.delete()
    assert not run.path.exists()


def test_a_run_that_has_ended_keeps_its_state(tmp_path: Path) -> None:
    run = run_with(tmp_path / "a", RunStarted(time=1.0), RunFinished(time=2.0, state="finished"))
    assert run.progress().state == "finished"


def test_a_run_that_is_gone_cannot_be_deleted_again(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="gone: cannot be deleted: No such file"):
        RunDirectory(tmp_path / "gone").delete()


def test_runs_are_listed_the_newest_first(tmp_path: Path) -> None:
    for age, name in ((30, "old"), (10, "new"), (20, "middle")):
        os.utime(run_with(tmp_path / name).events_file, (1e9 - age, 1e9 - age))
    (tmp_path / "no-run").mkdir()
    assert [run.name for run in list_runs(tmp_path)] == ["new", "middle", "old"]
    assert list_runs(tmp_path / "nowhere") == []


def test_a_run_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    run = run_with(tmp_path / "anna-1")
    for reference in ("anna-1", str(run.path), f"{run.path}/"):
        found = find_run(tmp_path, reference)
        assert found is not None
        assert found.path.samefile(run.path)
    for reference in ("anna", "x" * 5000, "a\0b"):
        assert find_run(tmp_path, reference) is None


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    write_atomically(path, json.dumps([1]).encode())
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"[1]"


def test_writing_where_there_is_no_directory_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "gone" / "file", b"data")
