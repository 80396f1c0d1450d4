"""Trainings that last a moment."""

import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np

from charrnn_tui.run.control import Control
from charrnn_tui.run.events import Event, StepDone
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.training.trainer import train

Kind = TypeVar("Kind", bound=Event)


def small_text(length: int = 1200) -> str:
    """A text of a few words in no order."""
    dice = np.random.default_rng(0)
    return " ".join(dice.choice(["all", "happy", "families", "are", "alike;\n"], length // 3).tolist())[:length]


def small_corpus(length: int = 1200) -> Corpus:
    """That text, encoded."""
    text = small_text(length)
    vocabulary = Vocabulary(sorted(set(text)))
    return Corpus("small", vocabulary.encode(text), vocabulary, "0" * 64)


def small_settings(**changes: Any) -> TrainSettings:
    """With `small_corpus()`: 9 steps an epoch, 2 epochs, float32 on one thread."""
    values: dict[str, Any] = {
        "n_hidden": 8,
        "n_layers": 2,
        "drop_prob": 0.0,
        "epochs": 2,
        "batch_size": 8,
        "seq_length": 15,
        "lr": 0.01,
        "print_every": 4,
        "device": "cpu",
        "precision": "float32",
        "threads": 1,
        "seed": 3,
        "sample_length": 5,
        "keep_checkpoints": 0,
    }
    return TrainSettings(**(values | changes))


def of_kind(events: list[Event], kind: type[Kind]) -> list[Kind]:
    """The events of one kind, in their order."""
    return [event for event in events if isinstance(event, kind)]


def trained(
    settings: TrainSettings,
    directory: Path | None = None,
    control: Control | None = None,
    at: Callable[[Event], None] = lambda event: None,
    **others: Any,
) -> list[Event]:
    """All events; `at` is called between two of them, as a front end's keys are. A slow disk changes nothing."""
    events = []
    others = {"advance_seconds": math.inf} | others
    with TemporaryDirectory() as elsewhere:
        directory = directory or Path(elsewhere)
        directory.mkdir(exist_ok=True)
        for event in train(settings, small_corpus(), control or Control(), directory, **others):
            events.append(event)
            at(event)
    return events


def asking(control: Control, step: int, *requests: Any) -> Callable[[Event], None]:
    """Leaves requests when that step has been told."""

    def react(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == step:
            for request in requests:
                control.request(request)

    return react
