"""The figures of a run's steps as a table, for other programs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from charrnn_tui.run.events import Evaluated, Event, RunStarted, StepDone

COLUMNS: Final = ("step", "epoch", "loss", "val_loss", "lr", "grad_norm", "chars_per_second", "train_seconds")


@dataclass
class LossRow:
    """A step. loss, val_loss: nats per character; val_loss is None for most steps. grad_norm: before clipping.

    train_seconds: time of all steps and validations up to here, without pauses. time: Unix seconds.
    """

    step: int
    epoch: int
    loss: float
    val_loss: float | None
    lr: float
    grad_norm: float
    chars_per_second: float
    train_seconds: float
    time: float


def loss_table(events: Iterable[Event]) -> list[LossRow]:
    """A row for each step, without those that a resumed training has repeated."""
    rows: list[LossRow] = []
    for event in events:
        match event:
            case RunStarted(resumed_at_step=int(step)):
                _rewind(rows, step)
            case StepDone():
                _rewind(rows, event.step - 1)
                speed, seconds = event.chars_per_second, event.train_seconds
                figures = event.loss, None, event.lr, event.grad_norm, speed, seconds
                rows.append(LossRow(event.step, event.epoch, *figures, event.time))
            case Evaluated() if rows and rows[-1].step == event.step:
                rows[-1].val_loss = event.val_loss
    return rows


def _rewind(rows: list[LossRow], step: int) -> None:
    while rows and rows[-1].step > step:
        rows.pop()
