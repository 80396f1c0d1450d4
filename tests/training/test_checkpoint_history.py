"""A run keeps models of its way."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.control import AddEpochs, Control, HandOver, Stop
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import AlarmRaised, CheckpointSaved, RunFinished
from charrnn_tui.run.kept_checkpoints import kept_checkpoints, kept_file
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.training.checkpoint_history import CheckpointHistory, steps_to_keep
from charrnn_tui.training.checkpoint_store import ADVANCE_SECONDS, SAVE_SHARE, CheckpointStore
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.resume_state import read_resume_state
from charrnn_tui.training.trainer import train
from tests.checkpoint.random_checkpoints import random_checkpoint
from tests.training.small_trainings import asking, of_kind, small_corpus, small_settings, trained

KEEPING = small_settings(keep_checkpoints=8, epochs=3)


def kept_steps(directory: Path) -> list[int]:
    return [kept.step for kept in kept_checkpoints(directory)]


def test_the_notebooks_training_keeps_each_epoch_and_the_untrained_model_and_its_first_steps() -> None:
    kept = steps_to_keep(24, 20 * 139, 139)
    assert {139 * epoch for epoch in range(1, 21)} <= set(kept)
    assert kept[:6] == [0, 1, 5, 27, 139, 278]


def test_a_short_training_keeps_more_of_its_first_epoch() -> None:
    kept = steps_to_keep(24, 3000, 1000)
    assert kept[-5:] == [1000, 1667, 2000, 2333, 3000]
    early = kept[2:-5]  # behind 0 and 1
    assert len(early) > 10
    ratios = np.array(early[5:]) / np.array(early[4:-1])
    assert ratios.max() / ratios.min() < 1.2  # each by the same factor, but for rounding


@pytest.mark.parametrize("most", [0, 1, 2, 3, 7, 24, 1000])
@pytest.mark.parametrize(("steps", "steps_per_epoch"), [(1, 1), (1, 500), (7, 500), (90, 3), (100_000, 9), (45, 20)])
def test_never_more_are_kept_than_asked_for_and_always_the_end(most: int, steps: int, steps_per_epoch: int) -> None:
    kept = steps_to_keep(most, steps, steps_per_epoch)
    assert len(kept) <= most
    assert kept == sorted(set(kept))
    assert kept[-1:] == ([steps] if most else [])
    assert kept[:1] == ([0] if most > 1 else [steps][:most])


def test_a_run_keeps_what_is_planned_with_its_facts_in_half_precision(tmp_path: Path) -> None:
    events = trained(KEEPING, tmp_path)
    assert kept_steps(tmp_path) == steps_to_keep(8, 27, 9) == [0, 1, 2, 3, 5, 9, 18, 27]
    told = [event for event in of_kind(events, CheckpointSaved) if event.kind == "kept"]
    assert [event.file for event in told][-1] == "checkpoints/step-00000027.safetensors"
    assert [event.step for event in told] == kept_steps(tmp_path)
    learner = Learner(KEEPING, small_corpus())
    for _ in range(9):
        learner.learn()
    kept = read_checkpoint(kept_file(tmp_path, 9))
    assert all((kept.weights[name] == tensor.astype(np.float16)).all() for name, tensor in learner.weights().items())
    assert (kept.facts["step"], kept.facts["epoch"], kept.facts["weights"]) == (9, 1, "float16")
    assert (kept.facts["val_loss"], kept.facts["last_val_step"]) == (None, 8)
    assert kept.facts["last_val_loss"] == told[5].val_loss
    CharModel(kept)  # can write


def test_a_run_of_a_few_steps_keeps_little(tmp_path: Path) -> None:
    trained(small_settings(keep_checkpoints=24, max_steps=5, print_every=5), tmp_path)
    assert kept_steps(tmp_path) == [0, 1, 5]
    best, last = tmp_path / "best.safetensors", tmp_path / "last.safetensors"
    assert best.samefile(last)
    control = Control()
    going_on = small_settings(keep_checkpoints=24, print_every=5)
    resume = read_resume_state(tmp_path / "resume.pt")
    trained(going_on, tmp_path, control, at=asking(control, 8, Stop()), resume=resume)
    assert (read_checkpoint(best).facts["step"], read_checkpoint(last).facts["step"]) == (5, 8)


def test_a_run_that_is_to_keep_none_makes_no_place_for_them(tmp_path: Path) -> None:
    trained(small_settings(keep_checkpoints=0), tmp_path)
    assert not (tmp_path / "checkpoints").exists()


def test_weights_that_half_precision_cannot_hold_are_kept_whole(tmp_path: Path) -> None:
    checkpoint = random_checkpoint()
    checkpoint.weights["fc.bias"][0] = 1e6
    CheckpointHistory(tmp_path, 3).add(5, checkpoint)
    kept = read_checkpoint(kept_file(tmp_path, 5))
    assert kept.weights["fc.bias"][0] == 1e6
    assert "weights" not in kept.facts


def test_a_longer_plan_thins_what_is_kept_and_keeps_its_spread(tmp_path: Path) -> None:
    control = Control()
    trained(KEEPING, tmp_path, control, at=asking(control, 20, AddEpochs(9)))
    kept = kept_steps(tmp_path)
    assert len(kept) == 8
    assert (kept[0], kept[-1]) == (0, 108)
    assert len([step for step in kept if step > 27]) >= 4


def test_a_stopped_and_resumed_training_keeps_what_the_uninterrupted_one_does(tmp_path: Path) -> None:
    control = Control()
    trained(KEEPING, tmp_path, control, at=asking(control, 13, Stop()))
    assert kept_steps(tmp_path) == [0, 1, 2, 3, 5, 9, 13]
    trained(KEEPING, tmp_path, resume=read_resume_state(tmp_path / "resume.pt"))
    assert kept_steps(tmp_path) == [0, 1, 2, 3, 5, 9, 18, 27]
    whole = tmp_path / "whole"
    trained(KEEPING, whole)
    for step in (18, 27):
        weights, others = (read_checkpoint(kept_file(place, step)).weights for place in (tmp_path, whole))
        assert all((weights[name] == others[name]).all() for name in weights)


def test_a_training_that_is_handed_over_keeps_none_for_it(tmp_path: Path) -> None:
    control = Control()
    trained(KEEPING, tmp_path, control, at=asking(control, 13, HandOver()))
    assert kept_steps(tmp_path) == [0, 1, 2, 3, 5, 9]


def test_a_killed_training_drops_what_it_does_anew_and_what_it_was_writing(tmp_path: Path) -> None:
    control = Control()
    trained(KEEPING, tmp_path, control, at=asking(control, 13, Stop()))
    state = read_resume_state(tmp_path / "resume.pt")
    shutil.copy(kept_file(tmp_path, 13), kept_file(tmp_path, 18))  # killed before it could save what led here
    torn = tmp_path / "checkpoints" / ".step-00000027.safetensors.123.part"
    torn.write_bytes(b"half")
    assert kept_steps(tmp_path)[-1] == 18  # until then it is a model of that step
    stream = train(KEEPING, small_corpus(), Control(), tmp_path, resume=state)
    next(stream)
    assert kept_steps(tmp_path) == [0, 1, 2, 3, 5, 9, 13]
    assert not torn.exists()
    stream.close()


def test_a_disk_that_refuses_them_raises_an_alarm_each_and_the_training_goes_on(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("in the way")
    events = trained(KEEPING, tmp_path)
    alarms = of_kind(events, AlarmRaised)
    assert [alarm.step for alarm in alarms] == [0, 1, 2, 3, 5, 9, 18, 27]
    assert {alarm.kind for alarm in alarms} == {"disk"}
    assert alarms[-1].message == "checkpoints/step-00000027.safetensors could not be saved: File exists"
    assert isinstance(events[-1], RunFinished)
    assert events[-1].state == "finished"
    assert (tmp_path / "last.safetensors").exists()


def test_the_history_is_paid_out_of_the_save_budget(tmp_path: Path) -> None:
    """Each writing takes a second here: 50 seconds of training at 2 %."""
    seconds = iter(range(100))
    store = CheckpointStore(tmp_path, lambda: None, keep_checkpoints=24, clock=lambda: float(next(seconds)))
    planned = steps_to_keep(24, 3000, 1000)
    assert store.history_due(0, planned, 0.0)
    list(store.add_to_history(0, 0.0, random_checkpoint(), None, planned))
    paid_off = 1 / SAVE_SHARE
    assert not store.due(paid_off - 0.1, best=True)
    assert store.due(paid_off, best=True)
    assert not store.history_due(1, planned, paid_off - ADVANCE_SECONDS - 0.1)
    assert store.history_due(2, planned, paid_off - ADVANCE_SECONDS)  # step 1's is made up for


def test_a_deleted_run_takes_them_along(tmp_path: Path) -> None:
    trained(KEEPING, tmp_path / "run")
    RunDirectory(tmp_path / "run").delete()
    assert not (tmp_path / "run").exists()
