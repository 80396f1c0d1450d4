"""Trainings in which whatever is not done exactly shows: dropout, a schedule, validations in mid-epoch."""

from collections.abc import Sequence
from typing import Any

from charrnn_tui.run.events import CheckpointSaved, Evaluated, Event, StepDone
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.training.learner import Learner
from tests.training.small_trainings import small_corpus, small_settings

HARD = small_settings(
    drop_prob=0.5, epochs=3, schedule="one-cycle", weight_decay=0.01, print_every=7, keep_checkpoints=6
)
PLACES = range(1, 12)  # of a request or an accident: all around the borders of queues and epochs (9 steps)


def figures(events: Sequence[Event]) -> list[Any]:
    """What is told of steps, validations and kept models, in its order, without times."""
    told: list[Any] = []
    for event in events:
        match event:
            case StepDone():
                told.append((event.step, event.epoch, event.loss, event.grad_norm, event.lr))
            case Evaluated():
                told.append(("evaluated", event.step, event.loss, event.val_loss, event.best))
            case CheckpointSaved(kind="kept"):
                told.append(("kept", event.step))
    return told


def weights_at(steps: int, settings: TrainSettings = HARD) -> dict[str, Any]:
    """Of a learner that waits for each step."""
    learner = Learner(settings, small_corpus())
    while learner.step < steps:
        learner.learn()
    return dict(learner.weights())
