"""A device that computes on its own, for machines without one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from charrnn_tui.run.events import StepDone
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.training import learner as learner_module
from charrnn_tui.training.learner import Learner


class Device:
    """A CPU that answers like a device of its own: figures arrive when somebody has waited for their moment."""

    def __init__(self) -> None:
        self.most_under_way = 0
        self.arriving: list[tuple[Tensor, Tensor]] = []

    def on_its_way(self, figures: Tensor) -> Tensor:
        there = torch.full_like(figures, -1.0)
        self.arriving.append((there, figures.clone()))
        return there

    def moment_now(self, device: torch.device) -> "Moment":
        return Moment(self.arriving)


class Moment:
    clock = 0.0

    def __init__(self, arriving: list[tuple[Tensor, Tensor]]) -> None:
        self.arriving, self.reached = list(arriving), False
        Moment.clock += 1.0
        self.milliseconds = Moment.clock

    def record(self) -> None:
        """It is recorded as it is made."""

    def synchronize(self) -> None:
        self.reached = True
        for there, figures in self.arriving:
            there.copy_(figures)

    def elapsed_time(self, later: "Moment") -> float:
        assert later.reached
        return later.milliseconds - self.milliseconds


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Device]:
    """From here on learners queue so many steps on a device on which the text lies."""

    def install(ahead: int) -> Device:
        device, place, learn = Device(), learner_module.place, Learner.learn

        def watched(self: Learner, until: int = 0) -> StepDone:
            done = learn(self, until)
            device.most_under_way = max(device.most_under_way, self.under_way)
            return done

        def placed(settings: TrainSettings, tokens: int) -> Any:
            return replace(place(settings, tokens), steps_ahead=ahead, resident_bytes=10_000)

        monkeypatch.setattr(learner_module, "place", placed)
        monkeypatch.setattr(learner_module, "on_its_way", device.on_its_way)
        monkeypatch.setattr(learner_module, "moment_now", device.moment_now)
        monkeypatch.setattr(Learner, "learn", watched)
        return device

    return install
