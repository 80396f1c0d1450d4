"""Alarms in the stream of a training: the disk, the device."""

from collections.abc import Generator
from pathlib import Path

import pytest
import torch

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.control import Control
from charrnn_tui.run.events import AlarmRaised, CheckpointSaved, Event, RunFinished, RunStarted, StepDone
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.loss_alarms import with_alarms
from charrnn_tui.training.resume_state import read_resume_state
from charrnn_tui.training.trainer import train
from tests.run.test_events import step_done
from tests.training.small_trainings import of_kind, small_corpus, small_settings


def saves(count: int) -> Generator[Event, None, None]:
    for step in range(count):
        yield CheckpointSaved(time=1.0, step=step, kind="last", file="last.safetensors")


def test_scarce_room_is_told_once_and_again_after_there_was_some(tmp_path: Path) -> None:
    (tmp_path / "last.safetensors").write_bytes(bytes(1000))
    free = iter([10**12, 10**6, 10**6, 10**12, 10**6])
    events = list(with_alarms(saves(5), tmp_path, lambda _: next(free)))
    alarms = of_kind(events, AlarmRaised)
    assert [(alarm.kind, alarm.step) for alarm in alarms] == [("disk", 1), ("disk", 4)]
    assert "disk low: 1 MB free for" in alarms[0].message
    assert "each save takes 1 kB" in alarms[0].message


def test_large_models_need_more_room(tmp_path: Path) -> None:
    with (tmp_path / "resume.pt").open("wb") as file:
        file.truncate(10**9)
    assert of_kind(list(with_alarms(saves(1), tmp_path, lambda _: 10**9)), AlarmRaised)


def test_a_leaping_loss_is_told_right_after_its_step(tmp_path: Path) -> None:
    def losses() -> Generator[Event, None, None]:
        yield RunStarted(time=1.0, steps=1000, steps_per_epoch=100)
        for step in range(1, 120):
            yield step_done(step, loss=9.0 if step == 100 else 2.0)

    events = list(with_alarms(losses(), tmp_path))
    alarm = next(index for index, event in enumerate(events) if isinstance(event, AlarmRaised))
    before = events[alarm - 1]
    assert isinstance(before, StepDone)
    assert before.step == 100


def test_who_leaves_a_watched_stream_leaves_the_training(tmp_path: Path) -> None:
    stream = train(small_settings(), small_corpus(), Control(), tmp_path)
    for event in stream:
        if isinstance(event, StepDone) and event.step == 3:
            break
    stream.close()
    assert read_checkpoint(tmp_path / "last.safetensors").facts["step"] == 3


@pytest.mark.parametrize(
    "error", [torch.AcceleratorError("CUDA error: unspecified launch failure"), RuntimeError("CUDA error: gone\nmore")]
)
def test_a_lost_device_ends_the_run_with_what_is_on_disk(error: RuntimeError, tmp_path: Path) -> None:
    class LosingItsDevice(Learner):
        def learn(self, until: int = 0) -> StepDone:
            if self.step == 6:
                raise error
            return super().learn(until)

    events = list(train(small_settings(), small_corpus(), Control(), tmp_path, make_learner=LosingItsDevice))
    alarm = of_kind(events, AlarmRaised)[-1]
    saved = read_resume_state(tmp_path / "resume.pt").step
    assert (alarm.kind, alarm.step) == ("device", 6)
    assert saved < 6  # nothing was read from the device any more
    assert alarm.message.startswith("the device cpu is lost after step 6: CUDA error: ")
    assert f"the state of step {saved} is on disk" in alarm.message
    assert "\n" not in alarm.message
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert (last.state, last.reason) == ("failed", alarm.message)


def test_memory_that_runs_out_is_no_lost_device(tmp_path: Path) -> None:
    class OutOfMemory(Learner):
        def learn(self, until: int = 0) -> StepDone:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        list(train(small_settings(), small_corpus(), Control(), tmp_path, make_learner=OutOfMemory))
