"""Steps queued on a device while earlier ones are reported: the training is the one that waits for each."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch.utils._python_dispatch import TorchDispatchMode

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.training.devices import place
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.model import Layers
from tests.training.hard_trainings import HARD, figures
from tests.training.small_trainings import small_corpus, small_settings, trained


@pytest.mark.parametrize("ahead", [1, 3, 4, 16])
def test_what_is_told_is_the_same_bit_for_bit(ahead: int, device: Any, tmp_path: Path) -> None:
    expected = figures(trained(HARD, tmp_path / "a"))
    used = device(ahead)
    events = trained(HARD, tmp_path / "b", make_learner=used.learner)
    assert figures(events) == expected
    assert used.most_queued == min(ahead, 5)  # what is looked at lies that close
    last = [read_checkpoint(tmp_path / run / "last.safetensors") for run in "ab"]
    assert all((tensor == last[1].weights[name]).all() for name, tensor in last[0].weights.items())


def test_the_device_is_kept_busy_where_nobody_looks(device: Any) -> None:
    settings = small_settings(print_every=100)
    expected = figures(trained(settings))
    used = device(4)
    assert figures(trained(settings, make_learner=used.learner)) == expected
    assert used.most_queued == 4


def test_no_more_is_queued_than_can_be_waited_for(device: Any) -> None:
    used = device(16)
    learner = used.learner(small_settings(), small_corpus())
    learner.learn(until=18)
    assert learner.queued == 0  # how long a step takes is not known yet
    for seconds, expected in ((1.0, 0), (0.04, 2), (0.0001, 16)):
        used.step_seconds = seconds
        for _ in range(20):  # as many as the speed is averaged over
            learner.learn()
        learner.learn(until=100)
        assert learner.queued == expected
        learner.finish_queued()


def test_seconds_are_those_of_the_device_and_sum_up(device: Any) -> None:
    learner = device(4).learner(small_settings(), small_corpus())
    events = [learner.learn(until=9) for _ in range(9)]
    assert [event.seconds for event in events] == [0.001] * 9  # by its clock, however many are told at once
    assert events[-1].train_seconds == 0.009
    assert {event.chars_per_second for event in events} == {120_000.0}


class Waits(TorchDispatchMode):
    """Counts what would have to wait for a device: numbers read, and choices made by them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if any(word in str(func) for word in ("_local_scalar_dense", "nonzero", "equal")):
            self.seen.append(str(func))
        return func(*args, **kwargs or {})


def test_a_step_reads_nothing_from_the_device(device: Any) -> None:
    settings = small_settings(n_hidden=2, drop_prob=0.5)  # rows are looked up: a one-hot vector is checked on a CPU
    learner = device(4).learner(settings, small_corpus())
    learner.model.forced_layers = Layers.PYTORCH  # as on a GPU
    learner.learn()
    with Waits() as waits:
        learner.begin_step()
        assert waits.seen == []
        bool(learner.broken)
        assert waits.seen != []  # it would be seen


@pytest.mark.parametrize("lacking", [0, 1])
def test_the_text_lies_on_the_device_where_there_is_room(lacking: int) -> None:
    corpus = small_corpus()
    placement = place(small_settings(), len(corpus.vocabulary))
    placement = replace(placement, resident_bytes=len(corpus) - lacking)
    learner = Learner(small_settings(), corpus, placement=placement)
    assert [batches.resident for batches in (learner.batches, learner.validation_batches)] == [not lacking] * 2
