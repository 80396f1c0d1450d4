"""A device that computes on its own, for machines without one."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from charrnn_tui.run.events import StepDone
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.training.device_queue import DeviceQueue
from charrnn_tui.training.devices import place
from charrnn_tui.training.learner import Learner


class FakeDevice(DeviceQueue):
    """The queue of a CPU that answers like a GPU's: figures are valid once somebody has waited for a later mark."""

    def __init__(self, steps_ahead: int) -> None:
        super().__init__(torch.device("cpu"))
        self.steps_ahead, self.step_seconds = steps_ahead, 0.001
        self.most_queued = 0
        self.arriving: list[tuple[Tensor, Tensor]] = []
        self.clock = 0.0

    def fetch(self, figures: Tensor) -> Tensor:
        there = torch.full_like(figures, -1.0)
        self.arriving.append((there, figures.clone()))
        return there

    def mark(self) -> "FakeMark":
        self.clock += self.step_seconds
        return FakeMark(list(self.arriving), self.clock)

    def learner(self, settings: TrainSettings, corpus: Corpus, kind: type[Learner] = Learner) -> Learner:
        """A learner whose steps are queued here and whose text is stored here."""
        placement = place(settings, len(corpus.vocabulary))
        placement = replace(placement, steps_ahead=self.steps_ahead, resident_bytes=10_000)
        device = self

        class Observed(kind):  # type: ignore[misc, valid-type]  # the class is given
            def learn(self, until: int = 0) -> StepDone:
                done: StepDone = super().learn(until)
                device.most_queued = max(device.most_queued, self.queued)
                return done

        return Observed(settings, corpus, placement=placement, queue=self)


class FakeMark:
    def __init__(self, arriving: list[tuple[Tensor, Tensor]], seconds: float) -> None:
        self.arriving, self.seconds, self.reached = arriving, seconds, False

    def synchronize(self) -> None:
        self.reached = True
        for there, figures in self.arriving:
            there.copy_(figures)

    def elapsed_time(self, later: "FakeMark") -> float:
        assert later.reached
        return 1000 * (later.seconds - self.seconds)


@pytest.fixture
def device() -> Callable[[int], FakeDevice]:
    """Makes a device on which so many steps may be queued ahead; `make_learner=device(4).learner` trains on it."""
    return FakeDevice
