"""The load of the machine among the events of a training."""

import builtins
import sys
from types import ModuleType
from typing import Any

import psutil
import pytest
import torch

from charrnn_tui.run.events import SystemSampled, from_line, to_line
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.training.system_load import SECONDS, SystemLoad


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def without_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **named: Any) -> ModuleType:
        if name == "psutil":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.delitem(sys.modules, "psutil", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)


def test_a_sample_is_taken_every_ten_seconds() -> None:
    clock = Clock()
    load = SystemLoad("cpu", clock)
    assert not load.due
    clock.now += SECONDS
    assert load.due
    sampled = load.sample(7)
    assert not load.due
    assert sampled.step == 7
    assert sampled.cpu_percent is not None
    assert 0 <= sampled.cpu_percent <= 100
    assert sampled.memory_bytes is not None
    assert 0.2 < sampled.memory_bytes / psutil.Process().memory_info().rss < 5
    assert (sampled.gpu_percent, sampled.gpu_celsius) == (None, None)
    assert from_line(to_line(sampled).encode()) == sampled


@pytest.mark.usefixtures("without_psutil")
def test_without_the_library_there_is_none() -> None:
    clock = Clock()
    load = SystemLoad("cpu", clock)
    clock.now += SECONDS
    assert not load.due


def test_a_gpu_is_asked_until_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    load = SystemLoad("cuda", clock)
    monkeypatch.setattr(torch.cuda, "utilization", lambda: 87)
    monkeypatch.setattr(torch.cuda, "temperature", lambda: 61)
    sampled = load.sample(1)
    assert (sampled.gpu_percent, sampled.gpu_celsius) == (87, 61)

    def refuse() -> int:
        raise RuntimeError("no driver")

    monkeypatch.setattr(torch.cuda, "temperature", refuse)
    assert load.sample(2).gpu_celsius is None
    monkeypatch.setattr(torch.cuda, "temperature", lambda: 61)
    assert load.sample(3).gpu_celsius is None  # an answer that never comes is not waited for each time


def test_samples_of_steps_that_are_done_again_are_forgotten() -> None:
    from tests.tui.scripted_training import started

    progress = RunProgress()
    progress.add(started())
    for step in (10, 20):
        progress.add(SystemSampled(time=1.0, step=step, cpu_percent=50.0))
    progress.add(started(resumed_at_step=15))
    assert [sampled.step for sampled in progress.system] == [10]
