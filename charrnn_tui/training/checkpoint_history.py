"""The checkpoints of earlier steps that a run keeps."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.kept_checkpoints import FOLDER, KeptCheckpoint, kept_checkpoints, kept_file

EPOCHS_SHARE: Final = 5 / 6  # of the models: at ends of epochs; the rest is for the first epoch, which learns most
LEAST_FACTOR: Final = 1.5  # between two kept steps of the first epoch


def steps_to_keep(most: int, steps: int, steps_per_epoch: int) -> list[int]:
    """At most `most` steps of a training whose models to keep, ascending.

    These are the ends of its epochs (evenly thinned if there are too many) and its end; the untrained model; steps of
    the first epoch in geometric progression; and, if any are left, evenly spaced steps of later epochs. Short trainings
    keep fewer.
    """
    if most < 1:
        return []
    most = min(most, 2 + steps // 4)
    ends = [*range(steps_per_epoch, steps, steps_per_epoch), steps]
    late = min(len(ends), max(1, int(EPOCHS_SHARE * most)))
    kept = {ends[-(-number * len(ends) // late) - 1] for number in range(1, late + 1)}
    early = most - late
    if early:
        first = min(steps_per_epoch, steps)
        dense = min(early, 1 + math.ceil(math.log(first, LEAST_FACTOR)))
        behind = np.linspace(first, steps, early - dense + 2)[1:-1]
        kept |= {0} | {round(step) for step in (*np.geomspace(1, first, dense)[:-1], *behind)}
    return sorted(kept)


class CheckpointHistory:
    """The models in a run's directory; they are found by listing it, whichever process wrote them."""

    def __init__(self, run: Path, most: int) -> None:
        self._run, self._most = run, most
        self._newest = -1

    def due(self, step: int, planned: Sequence[int]) -> bool:
        """Whether one of the planned steps is this one, or has passed since the newest model."""
        return any(self._newest < one <= step for one in planned)

    def lacks(self, step: int) -> bool:
        """Whether a model of this step could be added."""
        return self._most > 0 and self._newest < step

    def add(self, step: int, checkpoint: Checkpoint, planned: Sequence[int] = ()) -> None:
        """Write the model of a step, and drop one if there are too many. Raises OSError."""
        self._newest = step  # also if the disk refuses it: the next to be tried is a later step's
        (self._run / FOLDER).mkdir(exist_ok=True)
        write_checkpoint(kept_file(self._run, step), halved(checkpoint))
        stored = kept_checkpoints(self._run)
        while len(stored) > self._most:
            least = _least(stored, planned)
            stored.remove(least)
            least.file.unlink(missing_ok=True)

    def rewind(self, step: int) -> None:
        """The training continues from this step: drop the models of later ones, which it trains again."""
        stored = kept_checkpoints(self._run)
        partial = (self._run / FOLDER).glob(".step-*.part")  # of a killed training
        for file in [*partial, *(checkpoint.file for checkpoint in stored if checkpoint.step > step)]:
            with suppress(OSError):  # other writes to this directory will fail too, and raise an alarm
                file.unlink()
        self._newest = max((checkpoint.step for checkpoint in stored if checkpoint.step <= step), default=-1)


def _least(stored: Sequence[KeptCheckpoint], planned: Sequence[int]) -> KeptCheckpoint:
    """The model to drop: not planned if possible, with the smallest gap between its neighbours, not the last."""
    before, after = [stored[0], *stored], stored[1:]
    gaps = {stored[place]: after[place].step - before[place].step for place in range(len(after))}
    return min(gaps, key=lambda here: (here.step in planned, gaps[here]))


def halved(checkpoint: Checkpoint) -> Checkpoint:
    """In float16, half the size, whose 11 bits are enough to look at; unchanged if a weight would overflow."""
    with np.errstate(over="ignore"):
        weights = {name: tensor.astype(np.float16) for name, tensor in checkpoint.weights.items()}
    whole = all(np.isfinite(tensor).all() for tensor in weights.values())
    if not whole:
        return checkpoint
    return replace(checkpoint, weights=weights, facts={**checkpoint.facts, "weights": "float16"})
