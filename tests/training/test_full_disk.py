"""A disk that takes nothing must not cost a training."""

import shutil
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.control import Control, Pause, Resume, Stop
from charrnn_tui.run.events import AlarmRaised, CheckpointSaved, Evaluated, Event, RunFinished, RunPaused, StepDone
from charrnn_tui.training.trainer import train
from tests.training.small_trainings import of_kind, small_corpus, small_settings


def test_a_directory_that_is_gone_raises_alarms_and_no_end(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    events: list[Event] = []
    for event in train(small_settings(), small_corpus(), Control(), directory):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 1:
            shutil.rmtree(directory)
    assert len(of_kind(events, StepDone)) == 18
    assert isinstance(events[-1], RunFinished)
    assert events[-1].state == "finished"
    alarms = of_kind(events, AlarmRaised)
    assert {alarm.kind for alarm in alarms} == {"disk"}
    assert alarms[0].message == "best.safetensors could not be saved: No such file or directory"
    assert alarms[-1].message == "last.safetensors could not be saved: No such file or directory"


def test_what_could_not_be_saved_is_saved_once_there_is_room(tmp_path: Path) -> None:
    directory, control = tmp_path / "run", Control()
    events: list[Event] = []
    for event in train(small_settings(print_every=4), small_corpus(), control, directory):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 4:
            control.request(Pause())
        if isinstance(event, RunPaused):
            directory.mkdir()  # the disk is back, in the middle of the pause
            control.request(Stop())
    assert of_kind(events, AlarmRaised)
    assert [(event.kind, event.step) for event in of_kind(events, CheckpointSaved)] == [("best", 4), ("last", 4)]
    best = read_checkpoint(directory / "best.safetensors").facts
    assert best["val_loss"] == of_kind(events, Evaluated)[0].val_loss
    assert read_checkpoint(directory / "last.safetensors").facts["step"] == 4


def test_the_best_model_that_waited_for_the_disk_is_the_one_saved(tmp_path: Path) -> None:
    directory, control = tmp_path / "run", Control()
    for event in train(small_settings(print_every=4), small_corpus(), control, directory):
        if isinstance(event, StepDone) and event.step == 6:
            control.request(Pause())
        if isinstance(event, RunPaused):
            directory.mkdir()
            control.request(Resume())
            control.request(Stop())
    assert read_checkpoint(directory / "best.safetensors").facts["step"] == 4
    assert read_checkpoint(directory / "last.safetensors").facts["step"] == 6


def test_the_best_model_that_waited_is_saved_when_the_stream_is_closed(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    stream = train(small_settings(print_every=4), small_corpus(), Control(), directory)
    next(event for event in stream if isinstance(event, StepDone) and event.step == 6)
    directory.mkdir()
    stream.close()
    assert read_checkpoint(directory / "best.safetensors").facts["step"] == 4
    assert read_checkpoint(directory / "last.safetensors").facts["step"] == 6


def test_who_closes_the_stream_is_told_that_it_could_not_save(tmp_path: Path) -> None:
    stream = train(small_settings(), small_corpus(), Control(), tmp_path / "nowhere")
    next(stream)
    with pytest.raises(FileNotFoundError):
        stream.close()
